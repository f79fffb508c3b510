/** An issuer that says who may hold its asset, and takes it back (CAP-18, CAP-35). */
import {
  Asset,
  AuthClawbackEnabledFlag,
  type AuthFlag,
  AuthRequiredFlag,
  AuthRevocableFlag,
  type Keypair,
  Operation,
} from "@stellar/stellar-sdk"
import { chapter, type Step, same } from "./Chapter.ts"
import { type Client, isAsset } from "./Client.ts"

interface Scene {
  readonly issuer: Keypair
  readonly holder: Keypair
  readonly asset: Asset
}

const open = async (client: Client): Promise<Scene> => {
  const [issuer, holder] = await client.people(await client.bank(), 2)
  if (issuer === undefined || holder === undefined) throw new Error("no accounts")
  const setFlags = (AuthRequiredFlag | AuthRevocableFlag | AuthClawbackEnabledFlag) as AuthFlag
  await client.apply(issuer, [Operation.setOptions({ setFlags })])
  return { issuer, holder, asset: new Asset("NOVA", issuer.publicKey()) }
}

const failed = (...operations: ReadonlyArray<string>) => ({
  transaction: "tx_failed",
  operations: [...operations],
})

const pay = (to: Keypair, asset: Asset, amount: string) =>
  Operation.payment({ destination: to.publicKey(), asset, amount })

const authorize = (holder: Keypair, asset: Asset, authorized: boolean) =>
  Operation.setTrustLineFlags({ trustor: holder.publicKey(), asset, flags: { authorized } })

const lineOf = async (client: Client, { asset, holder }: Scene) => {
  const line = (await client.account(holder)).balances.find(isAsset(asset))
  if (line === undefined || !("is_authorized" in line)) throw new Error("no line")
  return line
}

const steps: ReadonlyArray<Step<Scene>> = [
  {
    name: "a new line is not authorized, and may be clawed back: op_not_authorized",
    source: "CAP-35; ChangeTrustOpFrame.cpp; PaymentOpFrame.cpp PAYMENT_NOT_AUTHORIZED",
    play: async (client, scene) => {
      const { asset, holder, issuer } = scene
      await client.apply(holder, [Operation.changeTrust({ asset })])
      const line = await lineOf(client, scene)
      same([line.is_authorized, line.is_clawback_enabled], [false, true], "flags")
      same(await client.refusal(issuer, [pay(holder, asset, "1")]), failed("op_not_authorized"), "codes")
    },
  },
  {
    name: "set_trust_line_flags: authorized, it takes payments",
    source: "CAP-35; SetTrustLineFlagsOpFrame.cpp",
    play: async (client, scene) => {
      const { asset, holder, issuer } = scene
      await client.apply(issuer, [authorize(holder, asset, true), pay(holder, asset, "10")])
      const line = await lineOf(client, scene)
      same([line.is_authorized, line.balance], [true, "10.0000000"], "line")
    },
  },
  {
    name: "clawback: the issuer takes a part, and not more than there is",
    source: "CAP-35; ClawbackOpFrame.cpp: CLAWBACK_UNDERFUNDED",
    play: async (client, scene) => {
      const { asset, holder, issuer } = scene
      const clawback = (amount: string) => Operation.clawback({ asset, amount, from: holder.publicKey() })
      await client.apply(issuer, [clawback("4")])
      same((await lineOf(client, scene)).balance, "6.0000000", "balance")
      same(await client.refusal(issuer, [clawback("6.0000001")]), failed("op_underfunded"), "codes")
    },
  },
  {
    name: "revoked, the holder cannot pay: op_src_not_authorized",
    source: "PaymentOpFrame.cpp PAYMENT_SRC_NOT_AUTHORIZED; AUTH_REVOCABLE",
    play: async (client, { asset, holder, issuer }) => {
      await client.apply(issuer, [authorize(holder, asset, false)])
      same(await client.refusal(holder, [pay(issuer, asset, "1")]), failed("op_src_not_authorized"), "codes")
    },
  },
  {
    name: "clawback enabled is for lines that come after: a line without it: op_not_clawback_enabled",
    source: "ClawbackOpFrame.cpp NOT_CLAWBACK_ENABLED; Horizon codes/main.go",
    play: async (client, { asset, holder, issuer }) => {
      const disable = Operation.setTrustLineFlags({
        trustor: holder.publicKey(),
        asset,
        flags: { clawbackEnabled: false },
      })
      await client.apply(issuer, [disable])
      const clawback = Operation.clawback({ asset, amount: "1", from: holder.publicKey() })
      same(await client.refusal(issuer, [clawback]), failed("op_not_clawback_enabled"), "codes")
    },
  },
]

export const authorization = chapter("authorization", open, steps)
