/** Reserves that somebody else pays (CAP-33). */
import { Asset, Keypair, Operation } from "@stellar/stellar-sdk"
import { chapter, type Step, same } from "./Chapter.ts"
import type { Client } from "./Client.ts"

interface Scene {
  readonly sponsor: Keypair
  readonly issuer: Keypair
  readonly child: Keypair
  readonly asset: Asset
}

const open = async (client: Client): Promise<Scene> => {
  const [sponsor, issuer] = await client.people(await client.bank(), 2)
  if (sponsor === undefined || issuer === undefined) throw new Error("no accounts")
  return { sponsor, issuer, child: Keypair.random(), asset: new Asset("NOVA", issuer.publicKey()) }
}

const begin = (child: Keypair) => Operation.beginSponsoringFutureReserves({ sponsoredId: child.publicKey() })
const end = (child: Keypair) => Operation.endSponsoringFutureReserves({ source: child.publicKey() })

const steps: ReadonlyArray<Step<Scene>> = [
  {
    name: "an account with nothing: two base reserves are the sponsor's",
    source: "CAP-33: creating an account counts 2 base reserves",
    play: async (client, { child, sponsor }) => {
      const create = Operation.createAccount({ destination: child.publicKey(), startingBalance: "0" })
      await client.apply(sponsor, [begin(child), create, end(child)], { signers: [sponsor, child] })
      const made = await client.account(child)
      same([made.num_sponsored, made.num_sponsoring, made.sponsor], [2, 0, sponsor.publicKey()], "the child")
      same(await client.balance(child), "0.0000000", "balance")
      same((await client.account(sponsor)).num_sponsoring, 2, "the sponsor's count")
    },
  },
  {
    name: "a sponsored trustline: one more, and the child still holds no lumen",
    source: "CAP-33: a subentry counts 1 base reserve",
    play: async (client, { asset, child, sponsor }) => {
      const line = Operation.changeTrust({ asset, source: child.publicKey() })
      await client.apply(sponsor, [begin(child), line, end(child)], { signers: [sponsor, child] })
      const held = await client.account(child)
      same([held.num_sponsored, held.subentry_count], [3, 1], "the child")
      const shown = held.balances[0]
      same(
        shown !== undefined && "sponsor" in shown ? shown.sponsor : "",
        sponsor.publicKey(),
        "the line's sponsor",
      )
      same((await client.account(sponsor)).num_sponsoring, 3, "the sponsor's count")
    },
  },
  {
    name: "without a sponsor the child cannot pay the reserve: op_low_reserve",
    source: "ManageDataOpFrame.cpp MANAGE_DATA_LOW_RESERVE",
    play: async (client, { child, sponsor }) => {
      const data = Operation.manageData({ name: "a", value: "1", source: child.publicKey() })
      const codes = await client.refusal(sponsor, [data], { signers: [sponsor, child] })
      same(codes, { transaction: "tx_failed", operations: ["op_low_reserve"] }, "codes")
    },
  },
  {
    name: "sponsoring that nobody ends: tx_bad_sponsorship",
    source: "CAP-33; TransactionFrame.cpp applyOperations: txBAD_SPONSORSHIP",
    play: async (client, { child, sponsor }) => {
      same(await client.refusal(sponsor, [begin(child)]), { transaction: "tx_bad_sponsorship" }, "codes")
    },
  },
  {
    name: "ending what did not begin: op_not_sponsored",
    source: "EndSponsoringFutureReservesOpFrame.cpp NOT_SPONSORED; Horizon codes/main.go",
    play: async (client, { child, sponsor }) => {
      const codes = await client.refusal(sponsor, [end(child)], { signers: [sponsor, child] })
      same(codes, { transaction: "tx_failed", operations: ["op_not_sponsored"] }, "codes")
    },
  },
  {
    name: "the sponsored line takes payments, and its going frees the sponsor's reserve",
    source: "CAP-33: removing an entry lowers numSponsoring",
    play: async (client, { asset, child, issuer, sponsor }) => {
      const pay = (to: Keypair, source: Keypair) =>
        Operation.payment({ destination: to.publicKey(), asset, amount: "3", source: source.publicKey() })
      await client.apply(issuer, [pay(child, issuer)])
      same(await client.balance(child, asset), "3.0000000", "balance")
      const remove = Operation.changeTrust({ asset, limit: "0", source: child.publicKey() })
      await client.apply(sponsor, [pay(issuer, child), remove], { signers: [sponsor, child] })
      same((await client.account(sponsor)).num_sponsoring, 2, "the sponsor's count")
    },
  },
]

export const sponsorship = chapter("sponsorship", open, steps)
