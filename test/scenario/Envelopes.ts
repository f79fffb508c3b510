/** What is decided before any operation: sequence, signatures, bounds, fee, and who waits already. */
import { Account, Asset, Keypair, Operation, TransactionBuilder } from "@stellar/stellar-sdk"
import { chapter, type Step, same } from "./Chapter.ts"
import { BID_STROOPS, type Client } from "./Client.ts"

interface Scene {
  readonly keys: Keypair
  readonly other: Keypair
}

const open = async (client: Client): Promise<Scene> => {
  const [keys, other] = await client.people(await client.bank(), 2)
  if (keys === undefined || other === undefined) throw new Error("no accounts")
  return { keys, other }
}

const pay = (to: Keypair) =>
  Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount: "1" })

/** 2100-01-01T00:00:00Z */
const FAR_FUTURE = 4_102_444_800

const identity: ReadonlyArray<Step<Scene>> = [
  {
    name: "a sequence that is past or skips one: tx_bad_seq, nothing consumed",
    source: "TransactionFrame.cpp isBadSeq",
    play: async (client, { keys, other }) => {
      const before = await client.account(keys)
      for (const sequenceOffset of [-1n, 1n]) {
        const codes = await client.refusal(keys, [pay(other)], { sequenceOffset })
        same(codes, { transaction: "tx_bad_seq" }, `codes for ${sequenceOffset}`)
      }
      const after = await client.account(keys)
      same(
        [after.sequence, after.balances[0]?.balance],
        [before.sequence, before.balances[0]?.balance],
        "account",
      )
    },
  },
  {
    name: "another's signature, or none: tx_bad_auth",
    source: "TransactionFrame.cpp commonValid: txBAD_AUTH",
    play: async (client, { keys, other }) => {
      for (const signers of [[other], []]) {
        const codes = await client.refusal(keys, [pay(other)], { signers })
        same(codes, { transaction: "tx_bad_auth" }, `codes with ${signers.length} signatures`)
      }
    },
  },
  {
    name: "a signature too many: tx_bad_auth_extra",
    source: "TransactionFrame.cpp checkAllSignaturesUsed: txBAD_AUTH_EXTRA",
    play: async (client, { keys, other }) => {
      const codes = await client.refusal(keys, [pay(other)], { signers: [keys, other] })
      same(codes, { transaction: "tx_bad_auth_extra" }, "codes")
    },
  },
  {
    name: "signed for another network: tx_bad_auth",
    source: "Stellar-transaction.x TransactionSignaturePayload: the network's id is signed too",
    play: async (client, { keys, other }) => {
      const codes = await client.refusal(keys, [pay(other)], { passphrase: "Another Network ; 2026" })
      same(codes, { transaction: "tx_bad_auth" }, "codes")
    },
  },
  {
    name: "an account that is nobody: tx_no_source_account",
    source: "TransactionFrame.cpp commonValidPreSeqNum: txNO_ACCOUNT",
    play: async (client, { keys, other }) => {
      const nobody = Keypair.random()
      const { sequence } = await client.account(keys)
      const transaction = new TransactionBuilder(new Account(nobody.publicKey(), sequence), {
        fee: String(BID_STROOPS),
        networkPassphrase: client.target.passphrase,
      })
        .addOperation(pay(other))
        .setTimeout(0)
        .build()
      transaction.sign(nobody)
      same(await client.refused(transaction), { transaction: "tx_no_source_account" }, "codes")
    },
  },
]

const bounds: ReadonlyArray<Step<Scene>> = [
  {
    name: "past its time bound: tx_too_late; before it: tx_too_early",
    source: "TransactionFrame.cpp isTooLate, isTooEarly",
    play: async (client, { keys, other }) => {
      const late = await client.refusal(keys, [pay(other)], {
        edit: (builder) => builder.setTimebounds(0, 1),
      })
      same(late, { transaction: "tx_too_late" }, "codes")
      const early = await client.refusal(keys, [pay(other)], {
        edit: (builder) => builder.setTimebounds(FAR_FUTURE, 0),
      })
      same(early, { transaction: "tx_too_early" }, "codes")
    },
  },
  {
    name: "maxLedger is exclusive: tx_too_late; minLedger to come: tx_too_early",
    source: "CAP-21; TransactionFrame.cpp isTooLate, isTooEarly",
    play: async (client, { keys, other }) => {
      const { sequence } = await client.tip()
      const within = (min: number, max: number) => ({
        edit: (builder: TransactionBuilder) => builder.setTimeout(0).setLedgerbounds(min, max),
      })
      // The next ledger is sequence + 1 at least: a maxLedger of that number excludes it.
      const late = await client.refusal(keys, [pay(other)], within(0, sequence + 1))
      same(late, { transaction: "tx_too_late" }, "codes")
      const early = await client.refusal(keys, [pay(other)], within(sequence + 1_000_000, 0))
      same(early, { transaction: "tx_too_early" }, "codes")
    },
  },
  {
    name: "within both bounds it is applied",
    source: "CAP-21",
    play: async (client, { keys, other }) => {
      const { closeTime, sequence } = await client.tip()
      const { ledger } = await client.apply(keys, [pay(other)], {
        edit: (builder) =>
          builder.setTimebounds(closeTime - 60, closeTime + 3600).setLedgerbounds(sequence, sequence + 1000),
      })
      same(ledger < sequence + 1000, true, "in time")
    },
  },
  {
    name: "less than the base fee: tx_insufficient_fee",
    source: "TransactionFrame.cpp commonValidPreSeqNum: getMinInclusionFee, 100 stroops an operation",
    play: async (client, { keys, other }) => {
      const codes = await client.refusal(keys, [pay(other)], { bid: 99 })
      same(codes, { transaction: "tx_insufficient_fee" }, "codes")
    },
  },
]

const queue: ReadonlyArray<Step<Scene>> = [
  {
    name: "two transactions of one account at once: the second TRY_AGAIN_LATER, the first again DUPLICATE",
    source: "stellar-core TransactionQueue.cpp canAdd; docs: RPC sendTransaction",
    play: async (client, { keys, other }) => {
      // A ledger may close in between; then it is tried again.
      const seen = await client.eventually("both met in the queue", async () => {
        const first = await client.build(keys, [pay(other)])
        const second = await client.build(keys, [pay(other)], { sequenceOffset: 1n })
        const answers: Array<string> = []
        for (const transaction of [first, second, first]) {
          answers.push((await client.rpc.sendTransaction(transaction)).status)
        }
        const { sequence } = first
        await client.eventually("the first is applied", async () =>
          BigInt((await client.account(keys)).sequence) >= BigInt(sequence) ? true : undefined,
        )
        return answers[1] === "TRY_AGAIN_LATER" ? answers : undefined
      })
      same(seen, ["PENDING", "TRY_AGAIN_LATER", "DUPLICATE"], "statuses")
    },
  },
  {
    name: "what RPC refuses carries the result: txBadSeq",
    source: "docs: RPC sendTransaction, errorResultXdr",
    play: async (client, { keys, other }) => {
      const answer = await client.rpc.sendTransaction(
        await client.build(keys, [pay(other)], { sequenceOffset: 7n }),
      )
      same([answer.status, answer.errorResult?.result.type], ["ERROR", "txBadSeq"], "answer")
    },
  },
]

export const envelopes = chapter("envelopes", open, [...identity, ...bounds, ...queue])
