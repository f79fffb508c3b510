/**
 * Brings the demo's accounts to where the tour begins, on a network with a friendbot: funded accounts, trustlines
 * of the distribution account and of two wallets, and a treasury. Each step looks at the ledger first, so a start
 * that was cut short goes on where it stopped.
 */
import { Account, type Asset, Keypair, Operation, TransactionBuilder, type xdr } from "@stellar/stellar-sdk"
import { Clock, Effect, Option, Schedule, Schema } from "effect"
import { Horizon } from "../ports/Horizon.ts"
import { SorobanRpc } from "../ports/SorobanRpc.ts"
import type { DemoKeys } from "./DemoKeys.ts"

/** NOVA that the distribution account starts with. */
const TREASURY = "10000000"

/** A step of the demo's preparation was refused by the network. */
export class DemoSetupFailed extends Schema.TaggedError<DemoSetupFailed>()("DemoSetupFailed", {
  message: Schema.String,
}) {}

export interface DemoNetwork {
  readonly networkPassphrase: string
  readonly asset: Asset
}

/** Seconds for which one of these transactions may apply. */
const TIME_BOUND_SECONDS = 60

const sequenceOf = Effect.fnUntraced(function* (address: string) {
  const horizon = yield* Horizon
  const account = yield* horizon.account(address)
  if (Option.isSome(account)) return account.value
  return yield* new DemoSetupFailed({ message: `The account ${address} should exist by now, but does not.` })
})

/** Signs with the source's key, sends, and waits for the ledger that includes it. */
const submit = Effect.fn("DemoAccounts.submit")(function* (
  network: DemoNetwork,
  source: Keypair,
  operation: xdr.Operation,
) {
  const rpc = yield* SorobanRpc
  const { sequence } = yield* sequenceOf(source.publicKey())
  const nowSeconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const transaction = new TransactionBuilder(new Account(source.publicKey(), sequence.toString()), {
    fee: "100",
    networkPassphrase: network.networkPassphrase,
    timebounds: { minTime: 0, maxTime: nowSeconds + TIME_BOUND_SECONDS },
  })
    .addOperation(operation)
    .build()
  transaction.sign(source)
  const sent = yield* rpc.sendTransaction(transaction.toXDR())
  if (sent.status === "ERROR") {
    return yield* new DemoSetupFailed({
      message: `The network refused a transaction of ${source.publicKey()}.`,
    })
  }
  const included = yield* rpc.getTransaction(sent.hash).pipe(
    Effect.repeat({ schedule: Schedule.spaced("100 millis"), until: ({ status }) => status !== "NOT_FOUND" }),
    Effect.timeoutOrElse({
      duration: `${TIME_BOUND_SECONDS} seconds`,
      orElse: () => Effect.fail(new DemoSetupFailed({ message: "A transaction was not included in time." })),
    }),
  )
  if (included.status === "FAILED") {
    return yield* new DemoSetupFailed({
      message: `A transaction of ${source.publicKey()} failed (${sent.hash}).`,
    })
  }
})

const fund = Effect.fn("DemoAccounts.fund")(function* (address: string) {
  const horizon = yield* Horizon
  if (Option.isSome(yield* horizon.account(address))) return
  yield* horizon.friendbot(address)
})

const assetName = (asset: Asset) => `${asset.getCode()}:${asset.getIssuer()}`

const balanceOf = Effect.fnUntraced(function* (address: string, asset: Asset) {
  const { balances } = yield* sequenceOf(address)
  return balances.find((balance) => balance.asset === assetName(asset))?.balanceStroops
})

const trust = Effect.fn("DemoAccounts.trust")(function* (network: DemoNetwork, account: Keypair) {
  const balance = yield* balanceOf(account.publicKey(), network.asset)
  if (balance !== undefined) return
  yield* submit(network, account, Operation.changeTrust({ asset: network.asset }))
})

/**
 * @error DemoSetupFailed when the network refuses a step; HorizonError and SorobanRpcError when it gives no answer
 */
export const prepareDemoAccounts = Effect.fn("DemoAccounts.prepare")(function* (
  network: DemoNetwork,
  keys: DemoKeys,
) {
  const issuer = Keypair.fromSecret(keys.issuerSecret)
  const distribution = Keypair.fromSecret(keys.distributionSecret)
  const [first, second, third] = keys.walletSecrets.map((secret) => Keypair.fromSecret(secret))
  const everyone = [issuer, distribution, first, second, third].filter((keypair) => keypair !== undefined)
  yield* Effect.forEach(everyone, (keypair) => fund(keypair.publicKey()), { concurrency: "unbounded" })
  const trusting = [distribution, first, second].filter((keypair) => keypair !== undefined)
  yield* Effect.forEach(trusting, (keypair) => trust(network, keypair), { concurrency: "unbounded" })
  if ((yield* balanceOf(distribution.publicKey(), network.asset)) === 0n) {
    const treasury = { destination: distribution.publicKey(), asset: network.asset, amount: TREASURY }
    yield* submit(network, issuer, Operation.payment(treasury))
  }
})
