/** Accounts come into being, pay, and are told why they cannot. */
import { Asset, Keypair, Operation } from "@stellar/stellar-sdk"
import { stroops, XLM } from "./Amounts.ts"
import { chapter, holds, type Step, same } from "./Chapter.ts"
import { BID_STROOPS, type Client } from "./Client.ts"

interface Scene {
  readonly bank: Keypair
  readonly payer: Keypair
  readonly payee: Keypair
}

const open = async (client: Client): Promise<Scene> => {
  const bank = await client.bank()
  const [payer, payee] = await client.people(bank, 2)
  if (payer === undefined || payee === undefined) throw new Error("no accounts")
  return { bank, payer, payee }
}

const pay = (to: Keypair, amount: string) =>
  Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount })

const creating: ReadonlyArray<Step<Scene>> = [
  {
    name: "friendbot gives 10,000 XLM",
    source: "https://developers.stellar.org/docs/learn/fundamentals/networks#friendbot",
    play: async (client) => {
      same(await client.balance(await client.bank()), "10000.0000000", "balance")
    },
  },
  {
    name: "create_account: the balance moves, the sequence begins at ledger << 32",
    source: "stellar-core CreateAccountOpFrame.cpp doApply; TransactionUtils.cpp getStartingSequenceNumber",
    play: async (client, { payer }) => {
      const [child, before] = [Keypair.random(), stroops(await client.balance(payer))]
      const create = Operation.createAccount({ destination: child.publicKey(), startingBalance: "5" })
      const applied = await client.apply(payer, [create])
      const made = await client.account(child)
      same(made.sequence, String(BigInt(applied.ledger) << 32n), "sequence")
      same(await client.balance(child), "5.0000000", "the child's balance")
      same(
        stroops(await client.balance(payer)),
        before - 5n * XLM - applied.feeCharged,
        "the payer's balance",
      )
      holds(
        applied.feeCharged >= 100n && applied.feeCharged <= BigInt(BID_STROOPS),
        "the fee lies between the base fee of 100 stroops and the bid",
      )
    },
  },
  {
    name: "create_account for one that exists: op_already_exists",
    source: "CreateAccountOpFrame.cpp CREATE_ACCOUNT_ALREADY_EXIST",
    play: async (client, { payer, payee }) => {
      const create = Operation.createAccount({ destination: payee.publicKey(), startingBalance: "5" })
      const expected = { transaction: "tx_failed", operations: ["op_already_exists"] }
      same(await client.refusal(payer, [create]), expected, "codes")
    },
  },
  {
    name: "create_account one stroop below two base reserves: op_low_reserve",
    source:
      "CreateAccountOpFrame.cpp CREATE_ACCOUNT_LOW_RESERVE; base reserve 0.5 XLM, docs: lumens, minimum balance",
    play: async (client, { payer }) => {
      const destination = Keypair.random().publicKey()
      const create = Operation.createAccount({ destination, startingBalance: "0.9999999" })
      const expected = { transaction: "tx_failed", operations: ["op_low_reserve"] }
      same(await client.refusal(payer, [create]), expected, "codes")
    },
  },
]

const paying: ReadonlyArray<Step<Scene>> = [
  {
    name: "payment: what one loses beside the fee, the other has",
    source: "PaymentOpFrame.cpp doApply",
    play: async (client, { payer, payee }) => {
      const before = stroops(await client.balance(payer))
      const beforePayee = stroops(await client.balance(payee))
      const { feeCharged } = await client.apply(payer, [pay(payee, "12.3456789")])
      same(stroops(await client.balance(payee)) - beforePayee, 123_456_789n, "received")
      same(before - stroops(await client.balance(payer)), 123_456_789n + feeCharged, "spent")
    },
  },
  {
    name: "payment to nobody: op_no_destination",
    source: "PaymentOpFrame.cpp PAYMENT_NO_DESTINATION",
    play: async (client, { payer }) => {
      const expected = { transaction: "tx_failed", operations: ["op_no_destination"] }
      same(await client.refusal(payer, [pay(Keypair.random(), "1")]), expected, "codes")
    },
  },
  {
    name: "payment out of the reserve: op_underfunded",
    source: "PaymentOpFrame.cpp PAYMENT_UNDERFUNDED; getAvailableBalance keeps 2 base reserves",
    play: async (client, { payer, payee }) => {
      const all = (await client.balance(payer)) ?? ""
      const expected = { transaction: "tx_failed", operations: ["op_underfunded"] }
      same(await client.refusal(payer, [pay(payee, all)]), expected, "codes")
    },
  },
  {
    name: "one operation fails: every result is told, nothing moves but fee and sequence",
    source: "TransactionFrame.cpp applyOperations: all operations apply, then all are rolled back",
    play: async (client, { payer, payee }) => {
      const [before, received] = [await client.account(payer), await client.balance(payee)]
      const operations = [pay(payee, "1"), pay(Keypair.random(), "1"), pay(payee, "1")]
      const transaction = await client.build(payer, operations)
      const expected = {
        transaction: "tx_failed",
        operations: ["op_success", "op_no_destination", "op_success"],
      }
      same(await client.refused(transaction), expected, "codes")
      const after = await client.account(payer)
      same(BigInt(after.sequence), BigInt(before.sequence) + 1n, "sequence")
      same(await client.balance(payee), received, "the payee's balance")
      const hash = Buffer.from(transaction.hash()).toString("hex")
      const shown = await client.horizon.transactions().transaction(hash).call()
      same(shown.successful, false, "successful")
      const spent = stroops(before.balances[0]?.balance) - stroops(after.balances[0]?.balance)
      same(spent, BigInt(shown.fee_charged), "the fee alone")
    },
  },
  {
    name: "Horizon and RPC tell the same of a transaction",
    source: "https://developers.stellar.org/docs/data/apis/rpc/api-reference/methods/getTransaction",
    play: async (client, { payer, payee }) => {
      const { hash, ledger } = await client.apply(payer, [pay(payee, "1")])
      const found = await client.eventually(`RPC knows ${hash}`, async () => {
        const answer = await client.rpc.getTransaction(hash)
        return answer.status === "NOT_FOUND" ? undefined : answer
      })
      same([found.status, found.ledger, found.feeBump], ["SUCCESS", ledger, false], "RPC's answer")
      const shown = await client.horizon.transactions().transaction(hash).call()
      same(found.envelopeXdr.toXdr("base64"), shown.envelope_xdr, "the envelope")
      const { records } = await client.horizon.payments().forTransaction(hash).call()
      same(
        records.map(({ type }) => type),
        ["payment"],
        "its payments",
      )
    },
  },
]

export const accounts = chapter("accounts", open, [...creating, ...paying])
