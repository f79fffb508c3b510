/** Money that waits for whoever may take it (CAP-23). */
import { Asset, Claimant, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { chapter, type Step, same } from "./Chapter.ts"
import type { Client } from "./Client.ts"

interface Scene {
  readonly issuer: Keypair
  readonly giver: Keypair
  readonly taker: Keypair
  readonly stranger: Keypair
  readonly asset: Asset
}

const open = async (client: Client): Promise<Scene> => {
  const [issuer, giver, taker, stranger] = await client.people(await client.bank(), 4)
  if (issuer === undefined || giver === undefined || taker === undefined || stranger === undefined) {
    throw new Error("no accounts")
  }
  const asset = new Asset("NOVA", issuer.publicKey())
  await client.apply(giver, [Operation.changeTrust({ asset })])
  await client.apply(issuer, [Operation.payment({ destination: giver.publicKey(), asset, amount: "100" })])
  return { issuer, giver, taker, stranger, asset }
}

const failed = (...operations: ReadonlyArray<string>) => ({
  transaction: "tx_failed",
  operations: [...operations],
})

/** 2100-01-01T00:00:00Z */
const FAR_FUTURE = "4102444800"

const give = async (client: Client, from: Keypair, asset: Asset, claimants: ReadonlyArray<Claimant>) => {
  const create = Operation.createClaimableBalance({ asset, amount: "25", claimants: [...claimants] })
  const transaction = await client.build(from, [create])
  await client.submit(transaction)
  return transaction.getClaimableBalanceId(0)
}

const claim = (balanceId: string) => Operation.claimClaimableBalance({ balanceId })

const stillThere = async (client: Client, balanceId: string): Promise<boolean> => {
  const key = xdr.LedgerKey.claimableBalance(
    new xdr.LedgerKeyClaimableBalance({ balanceId: xdr.ClaimableBalanceId.fromXdr(balanceId, "hex") }),
  )
  return (await client.rpc.getLedgerEntries(key)).entries.length === 1
}

const steps: ReadonlyArray<Step<Scene>> = [
  {
    name: "given: the giver's balance falls, a reserve for each claimant is the giver's",
    source: "CAP-23; CreateClaimableBalanceOpFrame.cpp: the source sponsors one base reserve a claimant",
    play: async (client, { asset, giver, stranger, taker }) => {
      const claimants = [taker, stranger].map((keys) => new Claimant(keys.publicKey()))
      const id = await give(client, giver, asset, claimants)
      same(await client.balance(giver, asset), "75.0000000", "the giver's balance")
      same((await client.account(giver)).num_sponsoring, 2, "reserves")
      same(
        await client.eventually("RPC has it", async () => (await stillThere(client, id)) || undefined),
        true,
        "there",
      )
      await client.apply(taker, [Operation.changeTrust({ asset })])
      await client.apply(taker, [claim(id)])
      same(await client.balance(taker, asset), "25.0000000", "the taker's balance")
      same((await client.account(giver)).num_sponsoring, 0, "reserves given back")
      same(
        await client.refusal(stranger, [claim(id)]),
        failed("op_does_not_exist"),
        "codes of a second claim",
      )
    },
  },
  {
    name: "Horizon lists it for its claimant until it is taken, and counts it with its asset",
    source: "docs: Horizon, list claimable balances (claimant), list assets",
    play: async (client, { asset, giver, issuer, taker }) => {
      const claimants = [new Claimant(taker.publicKey())]
      const id = await give(client, giver, asset, claimants)
      const waiting = async () => {
        const { records } = await client.horizon.claimableBalances().claimant(taker.publicKey()).call()
        return records.map((record) => record.id)
      }
      same(await waiting(), [id], "what waits")
      const counted = async () => {
        const { records } = await client.horizon.assets().forCode("NOVA").forIssuer(issuer.publicKey()).call()
        return [records[0]?.num_claimable_balances, records[0]?.claimable_balances_amount]
      }
      same(await counted(), [1, "25.0000000"], "with its asset")
      await client.apply(taker, [claim(id)])
      same([await waiting(), await counted()], [[], [0, "0.0000000"]], "afterwards")
    },
  },
  {
    name: "taken by somebody else: op_cannot_claim",
    source: "ClaimClaimableBalanceOpFrame.cpp CANNOT_CLAIM; Horizon codes/main.go",
    play: async (client, { asset, giver, stranger, taker }) => {
      const id = await give(client, giver, asset, [new Claimant(taker.publicKey())])
      same(await client.refusal(stranger, [claim(id)]), failed("op_cannot_claim"), "codes")
    },
  },
  {
    name: "taken without a trustline: op_no_trust",
    source: "ClaimClaimableBalanceOpFrame.cpp NO_TRUST",
    play: async (client, { asset, giver, stranger }) => {
      const id = await give(client, giver, asset, [new Claimant(stranger.publicKey())])
      same(await client.refusal(stranger, [claim(id)]), failed("op_no_trust"), "codes")
    },
  },
  {
    name: "not before its time; past its time not at all: op_cannot_claim",
    source: "CAP-23: claim predicates; validatePredicate",
    play: async (client, { giver, taker }) => {
      const before = (time: string) => Claimant.predicateBeforeAbsoluteTime(time)
      for (const predicate of [Claimant.predicateNot(before(FAR_FUTURE)), before("1")]) {
        const id = await give(client, giver, Asset.native(), [new Claimant(taker.publicKey(), predicate)])
        same(await client.refusal(taker, [claim(id)]), failed("op_cannot_claim"), "codes")
      }
    },
  },
  {
    name: "given to the same one twice: op_malformed",
    source: "CreateClaimableBalanceOpFrame.cpp doCheckValid MALFORMED; Horizon codes/main.go",
    play: async (client, { giver, taker }) => {
      const twice = [new Claimant(taker.publicKey()), new Claimant(taker.publicKey())]
      const create = Operation.createClaimableBalance({
        asset: Asset.native(),
        amount: "1",
        claimants: twice,
      })
      same(await client.refusal(giver, [create]), failed("op_malformed"), "codes")
    },
  },
  {
    name: "more than one holds: op_underfunded; without a trustline: op_no_trust",
    source: "CreateClaimableBalanceOpFrame.cpp UNDERFUNDED, NO_TRUST",
    play: async (client, { asset, giver, stranger, taker }) => {
      const create = (amount: string) =>
        Operation.createClaimableBalance({ asset, amount, claimants: [new Claimant(taker.publicKey())] })
      same(await client.refusal(giver, [create("100.0000001")]), failed("op_underfunded"), "codes")
      same(await client.refusal(stranger, [create("1")]), failed("op_no_trust"), "codes")
    },
  },
]

export const claimableBalances = chapter("claimable balances", open, steps)
