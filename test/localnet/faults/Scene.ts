/** A network with faults in front of it, in virtual time, as the ports see it: in this process, or over HTTP. */
import { Account, Asset, type Keypair, Operation, TransactionBuilder, xdr } from "@stellar/stellar-sdk"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import * as HorizonHttp from "../../../layers/horizon/HorizonHttp.ts"
import * as HorizonLocalnet from "../../../layers/horizon/HorizonLocalnet.ts"
import type { Fault, FaultPlan } from "../../../layers/localnet/faults/FaultPlan.ts"
import {
  type FaultyNetwork,
  type Injection,
  injectFaults,
} from "../../../layers/localnet/faults/InjectFaults.ts"
import { openNetwork } from "../../../layers/localnet/LocalNetwork.ts"
import { startLocalnetServer } from "../../../layers/localnet/LocalnetServer.ts"
import type { Network } from "../../../layers/localnet/Network.ts"
import * as SorobanRpcHttp from "../../../layers/soroban-rpc/SorobanRpcHttp.ts"
import * as SorobanRpcLocalnet from "../../../layers/soroban-rpc/SorobanRpcLocalnet.ts"
import type { Horizon } from "../../../src/ports/Horizon.ts"
import { SorobanRpc } from "../../../src/ports/SorobanRpc.ts"
import { keypairOf, PASSPHRASE } from "../../support/TestNetwork.ts"

export const alice = keypairOf("alice")
export const bob = keypairOf("bob")

const TIMEOUT_MS = 5_000
const NEVER_MS = 3_600_000
const LEDGER_SECONDS = 5

/** Testnet's, so that a few transactions fill a ledger. */
export const OPERATIONS_MAX = 200

export interface FaultScene {
  /** Without the faults: what really is. */
  readonly truth: Network
  readonly faulty: FaultyNetwork
  /** The clock's tick, five seconds after the last one. */
  readonly tick: (times?: number) => void
  readonly layers: Layer.Layer<SorobanRpc | Horizon>
}

const planOf = (faults: ReadonlyArray<Fault>): FaultPlan => ({
  seed: "by hand",
  profile: "by hand",
  ledgers: 1000,
  repeats: false,
  faults,
})

/** Alice and Bob have friendbot's 10,000 XLM each before the plan begins. */
export const openFaulty = (
  plan: FaultPlan,
  people: ReadonlyArray<Keypair> = [alice, bob],
  onFault?: (injection: Injection) => void,
) => {
  let seconds = 1_000_000
  const truth = openNetwork({
    settings: { passphrase: PASSPHRASE, operationsPerLedgerMax: OPERATIONS_MAX },
    now: () => seconds,
  })
  for (const keys of people) truth.submit(truth.friendbot(keys.publicKey()))
  const nextSecond = (): number => {
    seconds += LEDGER_SECONDS
    return seconds
  }
  truth.closeLedger(nextSecond())
  const faulty = injectFaults(truth, plan, onFault === undefined ? {} : { onFault })
  const tick = (times = 1): void => {
    for (let done = 0; done < times; done++) faulty.network.closeLedger(nextSecond())
  }
  return { truth, faulty, tick }
}

export const inProcess = (...faults: ReadonlyArray<Fault>) =>
  Effect.sync((): FaultScene => {
    const opened = openFaulty(planOf(faults))
    const { calls, network } = opened.faulty
    const layers = Layer.merge(
      SorobanRpcLocalnet.layer(network, calls),
      HorizonLocalnet.layer(network, calls),
    )
    return { ...opened, layers }
  })

export const overHttp = (...faults: ReadonlyArray<Fault>) =>
  Effect.gen(function* () {
    const opened = openFaulty(planOf(faults))
    const { calls, network } = opened.faulty
    const place = { hostname: "127.0.0.1", port: 0, closeIntervalMs: NEVER_MS }
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => startLocalnetServer({ network, calls, ...place })),
      (started) => Effect.promise(() => started.stop()),
    )
    const layers = Layer.merge(
      SorobanRpcHttp.layerUrls([`${server.url}/rpc`], TIMEOUT_MS),
      HorizonHttp.layerUrls([server.url], TIMEOUT_MS),
    ).pipe(Layer.provide(FetchHttpClient.layer))
    return { ...opened, layers } satisfies FaultScene
  })

/** A payment of 1.5 XLM to Bob, signed. Bids are stroops for the one operation. */
export const payBob = (source: Keypair, sequence: bigint, bid = 100, amount = "1.5") => {
  const transaction = new TransactionBuilder(new Account(source.publicKey(), String(sequence - 1n)), {
    fee: String(bid),
    networkPassphrase: PASSPHRASE,
    timebounds: { minTime: 0, maxTime: 0 },
  })
    .addOperation(Operation.payment({ destination: bob.publicKey(), asset: Asset.native(), amount }))
    .build()
  transaction.sign(source)
  return {
    envelopeXdr: transaction.toXDR(),
    hash: Buffer.from(transaction.hash()).toString("hex"),
    transaction,
  }
}

export const accountKey = (keys: Keypair) =>
  xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: keys.xdrPublicKey() }))

/** The account's sequence, and the ledger that the answer speaks of, through RPC. */
export const sequenceByRpc = Effect.fnUntraced(function* (keys: Keypair) {
  const rpc = yield* SorobanRpc
  const { entries, latestLedger } = yield* rpc.getLedgerEntries([accountKey(keys).toXDR("base64")])
  const data = xdr.LedgerEntryData.fromXDR(entries[0]?.xdr ?? "", "base64")
  if (data.type !== "account") throw new Error("no account")
  return { sequence: data.account.seqNum, balance: data.account.balance, latestLedger }
})

/** The account's sequence as it really is. */
export const sequenceOf = (network: Network, keys: Keypair): bigint => {
  const data = network.entry(accountKey(keys))?.entry.data
  if (data?.type !== "account") throw new Error("no account")
  return data.account.seqNum
}
