/** Assets: trustlines, limits, and payments that need them. */
import { Asset, Keypair, Operation } from "@stellar/stellar-sdk"
import { chapter, type Step, same } from "./Chapter.ts"
import type { Client } from "./Client.ts"

interface Scene {
  readonly issuer: Keypair
  readonly holder: Keypair
  readonly stranger: Keypair
  readonly asset: Asset
}

const open = async (client: Client): Promise<Scene> => {
  const [issuer, holder, stranger] = await client.people(await client.bank(), 3)
  if (issuer === undefined || holder === undefined || stranger === undefined) throw new Error("no accounts")
  return { issuer, holder, stranger, asset: new Asset("NOVA", issuer.publicKey()) }
}

const failed = (...operations: ReadonlyArray<string>) => ({
  transaction: "tx_failed",
  operations: [...operations],
})

const pay = (to: Keypair, asset: Asset, amount: string) =>
  Operation.payment({ destination: to.publicKey(), asset, amount })

const trusting: ReadonlyArray<Step<Scene>> = [
  {
    name: "change_trust: a line of its limit, one more subentry",
    source: "ChangeTrustOpFrame.cpp doApply; docs: account's subentries",
    play: async (client, { asset, holder }) => {
      await client.apply(holder, [Operation.changeTrust({ asset, limit: "100" })])
      const account = await client.account(holder)
      const line = account.balances[0]
      same(
        [line?.balance, line !== undefined && "limit" in line ? line.limit : ""],
        ["0.0000000", "100.0000000"],
        "line",
      )
      same(account.subentry_count, 1, "subentries")
    },
  },
  {
    name: "change_trust for an issuer that is nobody: op_no_issuer",
    source: "ChangeTrustOpFrame.cpp CHANGE_TRUST_NO_ISSUER",
    play: async (client, { holder }) => {
      const asset = new Asset("NOVA", Keypair.random().publicKey())
      same(await client.refusal(holder, [Operation.changeTrust({ asset })]), failed("op_no_issuer"), "codes")
    },
  },
  {
    name: "change_trust of one's own asset: op_malformed",
    source: "ChangeTrustOpFrame.cpp doCheckValid, from protocol 16 on: CHANGE_TRUST_MALFORMED",
    play: async (client, { asset, issuer }) => {
      same(await client.refusal(issuer, [Operation.changeTrust({ asset })]), failed("op_malformed"), "codes")
    },
  },
  {
    name: "the issuer pays: new units come into being",
    source: "PaymentOpFrame.cpp; docs: assets, issuing",
    play: async (client, { asset, holder, issuer }) => {
      await client.apply(issuer, [pay(holder, asset, "60.0000001")])
      same(await client.balance(holder, asset), "60.0000001", "balance")
      same(await client.balance(issuer, asset), undefined, "the issuer's line")
    },
  },
]

const refusing: ReadonlyArray<Step<Scene>> = [
  {
    name: "payment without a trustline: op_no_trust",
    source: "PaymentOpFrame.cpp PAYMENT_NO_TRUST",
    play: async (client, { asset, issuer, stranger }) => {
      same(await client.refusal(issuer, [pay(stranger, asset, "1")]), failed("op_no_trust"), "codes")
    },
  },
  {
    name: "payment above the limit: op_line_full; up to it: applied",
    source: "PaymentOpFrame.cpp PAYMENT_LINE_FULL",
    play: async (client, { asset, holder, issuer }) => {
      const operations = [pay(holder, asset, "40")]
      // 60.0000001 are there, 100 is the limit: 39.9999999 would fit.
      same(await client.refusal(issuer, operations), failed("op_line_full"), "codes")
      await client.apply(issuer, [pay(holder, asset, "39.9999999")])
      same(await client.balance(holder, asset), "100.0000000", "balance")
    },
  },
  {
    name: "the destination is looked at first: a full line hides that the sender has none",
    source:
      "PaymentOpFrame.cpp applies a PathPaymentStrictReceive: updateDestBalance before updateSourceBalance",
    play: async (client, { asset, holder, stranger }) => {
      same(await client.refusal(stranger, [pay(holder, asset, "1")]), failed("op_line_full"), "codes")
    },
  },
  {
    name: "payment of what one does not hold: op_src_no_trust",
    source: "PaymentOpFrame.cpp PAYMENT_SRC_NO_TRUST",
    play: async (client, { asset, issuer, stranger }) => {
      same(await client.refusal(stranger, [pay(issuer, asset, "1")]), failed("op_src_no_trust"), "codes")
    },
  },
  {
    name: "payment of more than one holds: op_underfunded",
    source: "PaymentOpFrame.cpp PAYMENT_UNDERFUNDED",
    play: async (client, { asset, holder, issuer }) => {
      same(
        await client.refusal(holder, [pay(issuer, asset, "100.0000001")]),
        failed("op_underfunded"),
        "codes",
      )
    },
  },
  {
    name: "a limit below the balance, or a line removed that is not empty: op_invalid_limit",
    source: "ChangeTrustOpFrame.cpp CHANGE_TRUST_INVALID_LIMIT",
    play: async (client, { asset, holder }) => {
      for (const limit of ["99.9999999", "0"]) {
        const change = Operation.changeTrust({ asset, limit })
        same(await client.refusal(holder, [change]), failed("op_invalid_limit"), `codes for ${limit}`)
      }
    },
  },
  {
    name: "back to the issuer the units are gone, and the empty line can go",
    source: "PaymentOpFrame.cpp; ChangeTrustOpFrame.cpp: limit 0 removes the line",
    play: async (client, { asset, holder, issuer }) => {
      await client.apply(holder, [pay(issuer, asset, "100"), Operation.changeTrust({ asset, limit: "0" })])
      const account = await client.account(holder)
      same([account.subentry_count, account.balances.length], [0, 1], "subentries and balances")
    },
  },
]

export const trust = chapter("trust", open, [...trusting, ...refusing])
