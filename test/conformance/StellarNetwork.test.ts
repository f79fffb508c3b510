/**
 * One suite for every layer of SorobanRpc and Horizon. Each runs against an embedded network: over HTTP as the
 * programs do, and in the same process as tests and simulation do. What the ports promise is checked here; that the
 * network is honest is checked in test/localnet and, with the official SDK, in test/localnet-http.
 */
import { describe, expect } from "bun:test"
import {
  Account,
  Asset,
  type Keypair,
  Operation,
  Transaction,
  TransactionBuilder,
  xdr,
} from "@stellar/stellar-sdk"
import { Effect, Layer, Option } from "effect"
import { FetchHttpClient } from "effect/http"
import * as HorizonHttp from "../../layers/horizon/HorizonHttp.ts"
import * as HorizonLocalnet from "../../layers/horizon/HorizonLocalnet.ts"
import { openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { startLocalnetServer } from "../../layers/localnet/LocalnetServer.ts"
import type { Network } from "../../layers/localnet/Network.ts"
import * as SorobanRpcHttp from "../../layers/soroban-rpc/SorobanRpcHttp.ts"
import * as SorobanRpcLocalnet from "../../layers/soroban-rpc/SorobanRpcLocalnet.ts"
import { Horizon } from "../../src/ports/Horizon.ts"
import { SorobanRpc } from "../../src/ports/SorobanRpc.ts"
import { live } from "../support/it.ts"
import { keypairOf, PASSPHRASE } from "../support/TestNetwork.ts"

const TIMEOUT_MS = 5_000
/** Long enough that no ledger closes but by the test's hand. */
const NEVER_MS = 3_600_000

const open = () =>
  openNetwork({ settings: { passphrase: PASSPHRASE }, now: () => Math.floor(Date.now() / 1000) })

const inProcess = Effect.sync(() => {
  const network = open()
  return { network, layer: Layer.merge(SorobanRpcLocalnet.layer(network), HorizonLocalnet.layer(network)) }
})

const overHttp = Effect.gen(function* () {
  const network = open()
  const server = yield* Effect.acquireRelease(
    Effect.promise(() =>
      startLocalnetServer({ network, hostname: "127.0.0.1", port: 0, closeIntervalMs: NEVER_MS }),
    ),
    (started) => Effect.promise(() => started.stop()),
  )
  const layer = Layer.merge(
    SorobanRpcHttp.layerUrls([`${server.url}/rpc`], TIMEOUT_MS),
    HorizonHttp.layerUrls([server.url], TIMEOUT_MS),
  ).pipe(Layer.provide(FetchHttpClient.layer))
  return { network, layer }
})

const close = (network: Network) => Effect.sync(() => network.closeLedger(Math.floor(Date.now() / 1000)))

const payXlm = (source: Keypair, sequence: bigint, to: Keypair, amount = "1.5") => {
  const transaction = new TransactionBuilder(new Account(source.publicKey(), sequence.toString()), {
    fee: "100",
    networkPassphrase: PASSPHRASE,
    timebounds: { minTime: 0, maxTime: 0 },
  })
    .addOperation(Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount }))
    .build()
  transaction.sign(source)
  return { envelopeXdr: transaction.toXDR(), hash: Buffer.from(transaction.hash()).toString("hex") }
}

/** A fee bump with ten times the inner fee for each of its two operations. */
const bumpBy = (payer: Keypair, innerXdr: string) => {
  const inner = TransactionBuilder.fromXDR(innerXdr, PASSPHRASE)
  if (!(inner instanceof Transaction)) throw new Error("a fee bump cannot be bumped")
  const bump = TransactionBuilder.buildFeeBumpTransaction(payer, "1000", inner, PASSPHRASE)
  bump.sign(payer)
  return { envelopeXdr: bump.toXDR(), hash: Buffer.from(bump.hash()).toString("hex") }
}

const resultCode = (resultXdr: string) => xdr.TransactionResult.fromXDR(resultXdr, "base64").result.type

const accountKey = (keypair: Keypair) =>
  xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: keypair.xdrPublicKey() })).toXDR("base64")

const alice = keypairOf("alice")
const bob = keypairOf("bob")

/** Alice and Bob exist with friendbot's 10,000 XLM. */
const fundBoth = Effect.fnUntraced(function* (network: Network) {
  const horizon = yield* Horizon
  const asked = yield* Effect.forkChild(
    Effect.forEach([alice, bob], (keypair) => horizon.friendbot(keypair.publicKey()), { concurrency: 2 }),
  )
  while (asked.pollUnsafe() === undefined) {
    yield* Effect.sleep(5)
    if (network.pendingCount() > 0) yield* close(network)
  }
})

const suite = (name: string, make: typeof overHttp | typeof inProcess) =>
  describe(name, () => {
    const on = (
      title: string,
      body: (network: Network) => Effect.Effect<unknown, unknown, SorobanRpc | Horizon>,
    ) =>
      live(title, () =>
        Effect.gen(function* () {
          const { layer, network } = yield* make
          yield* body(network).pipe(Effect.provide(layer, { local: true }))
        }),
      )

    on("speaks for the network, at its latest ledger", (network) =>
      Effect.gen(function* () {
        const rpc = yield* SorobanRpc
        const horizon = yield* Horizon
        const latest = yield* close(network)
        expect((yield* rpc.getNetwork).passphrase).toBe(PASSPHRASE)
        expect((yield* horizon.root).networkPassphrase).toBe(PASSPHRASE)
        expect((yield* horizon.root).latestLedger).toBe(latest.sequence)
        expect(yield* rpc.getLatestLedger).toEqual({ sequence: latest.sequence, hash: latest.hash })
        expect((yield* rpc.getHealth).status).toBe("healthy")
        // The embedded network takes as many operations as the public one: 1,000.
        expect(yield* rpc.getLedger(latest.sequence)).toEqual(
          Option.some({ hash: latest.hash, operationsMax: 1000, closedAtMs: latest.closeTime * 1000 }),
        )
        expect(yield* rpc.getLedger(latest.sequence + 1000)).toEqual(Option.none())
      }),
    )

    on("an unknown account is none, an unknown hash is not found", () =>
      Effect.gen(function* () {
        const rpc = yield* SorobanRpc
        const horizon = yield* Horizon
        expect(yield* horizon.account(alice.publicKey())).toEqual(Option.none())
        expect((yield* rpc.getLedgerEntries([accountKey(alice)])).entries).toEqual([])
        const transaction = yield* rpc.getTransaction("ab".repeat(32))
        expect(transaction.status).toBe("NOT_FOUND")
        expect(transaction.included).toEqual(Option.none())
      }),
    )

    on("a payment goes from PENDING to its ledger, and is read back by both", (network) =>
      Effect.gen(function* () {
        const rpc = yield* SorobanRpc
        const horizon = yield* Horizon
        yield* fundBoth(network)
        const before = Option.getOrThrow(yield* horizon.account(alice.publicKey()))
        expect(before.balances).toEqual([{ asset: "native", balanceStroops: 100_000_000_000n }])
        const payment = payXlm(alice, before.sequence, bob)
        const sent = yield* rpc.sendTransaction(payment.envelopeXdr)
        expect(sent).toMatchObject({ status: "PENDING", hash: payment.hash, errorResultXdr: Option.none() })
        expect((yield* rpc.sendTransaction(payment.envelopeXdr)).status).toBe("DUPLICATE")
        expect((yield* horizon.submitAsync(payment.envelopeXdr)).status).toBe("DUPLICATE")
        const ledger = yield* close(network)
        const found = yield* rpc.getTransaction(payment.hash)
        expect(found.status).toBe("SUCCESS")
        expect(Option.getOrThrow(found.included).ledger).toBe(ledger.sequence)
        const entries = yield* rpc.getLedgerEntries([accountKey(alice), accountKey(bob)])
        expect(entries.latestLedger).toBe(ledger.sequence)
        expect(entries.entries.map(({ key }) => key).toSorted()).toEqual(
          [accountKey(alice), accountKey(bob)].toSorted(),
        )
        const payments = yield* horizon.payments(bob.publicKey(), { cursor: Option.none(), limit: 10 })
        expect(payments.at(-1)).toMatchObject({
          transactionHash: payment.hash,
          successful: true,
          from: alice.publicKey(),
          to: bob.publicKey(),
          asset: "native",
          amountStroops: 15_000_000n,
        })
        const first = payments.at(0)
        const rest = yield* horizon.payments(bob.publicKey(), {
          cursor: Option.some(first?.id ?? ""),
          limit: 10,
        })
        expect(rest).toEqual(payments.slice(1))
      }),
    )

    on("an account's transactions are paged in both orders, with failures and fee bumps", (network) =>
      Effect.gen(function* () {
        const horizon = yield* Horizon
        yield* fundBoth(network)
        const { sequence } = Option.getOrThrow(yield* horizon.account(alice.publicKey()))
        const paid = payXlm(alice, sequence, bob)
        expect((yield* horizon.submitAsync(paid.envelopeXdr)).status).toBe("PENDING")
        yield* close(network)
        // 20,000 XLM are more than alice has: op_underfunded, which consumes the sequence and the fee.
        const failed = payXlm(alice, sequence + 1n, bob, "20000")
        expect((yield* horizon.submitAsync(failed.envelopeXdr)).status).toBe("PENDING")
        yield* close(network)
        const inner = payXlm(alice, sequence + 2n, bob)
        const bump = bumpBy(bob, inner.envelopeXdr)
        expect((yield* horizon.submitAsync(bump.envelopeXdr)).status).toBe("PENDING")
        const last = yield* close(network)

        const page = (order: "asc" | "desc", limit: number, cursor: Option.Option<string> = Option.none()) =>
          horizon.transactions(alice.publicKey(), { order, limit, cursor })
        const newest = yield* page("desc", 3)
        expect(newest.map(({ hash }) => hash)).toEqual([bump.hash, failed.hash, paid.hash])
        expect(newest.map(({ successful }) => successful)).toEqual([true, false, true])
        expect(newest.map(({ envelopeXdr }) => envelopeXdr)).toEqual([
          bump.envelopeXdr,
          failed.envelopeXdr,
          paid.envelopeXdr,
        ])
        expect(newest.map(({ innerHash }) => innerHash)).toEqual([
          Option.some(inner.hash),
          Option.none(),
          Option.none(),
        ])
        expect(newest[0]?.ledger).toBe(last.sequence)
        const codes = newest.map(({ resultXdr }) => resultCode(resultXdr))
        expect(codes).toEqual(["txFeeBumpInnerSuccess", "txFailed", "txSuccess"])

        const oldest = yield* page("asc", 200)
        expect(oldest.slice(-3)).toEqual(newest.toReversed())
        const cursor = Option.map(Option.fromUndefinedOr(oldest.at(-3)), ({ pagingToken }) => pagingToken)
        expect(yield* page("asc", 1, cursor)).toEqual(newest.slice(1, 2))
        expect(yield* page("desc", 200, cursor)).toEqual(oldest.slice(0, -3).toReversed())
      }),
    )

    on("an account that never was has no list of transactions, which is no empty list", () =>
      Effect.gen(function* () {
        const horizon = yield* Horizon
        const page = { order: "asc", limit: 10, cursor: Option.none() } as const
        const refused = yield* Effect.flip(horizon.transactions(alice.publicKey(), page))
        expect([refused.reason, refused.retry]).toEqual(["not_found", "never"])
      }),
    )

    on("a second transaction of one account is told to try again, on both rails", (network) =>
      Effect.gen(function* () {
        const rpc = yield* SorobanRpc
        const horizon = yield* Horizon
        yield* fundBoth(network)
        const { sequence } = Option.getOrThrow(yield* horizon.account(alice.publicKey()))
        expect((yield* horizon.submitAsync(payXlm(alice, sequence, bob).envelopeXdr)).status).toBe("PENDING")
        const second = payXlm(alice, sequence + 1n, bob).envelopeXdr
        expect((yield* rpc.sendTransaction(second)).status).toBe("TRY_AGAIN_LATER")
        expect((yield* horizon.submitAsync(second)).status).toBe("TRY_AGAIN_LATER")
      }),
    )

    on("a refusal carries the result, the same on both rails", (network) =>
      Effect.gen(function* () {
        const rpc = yield* SorobanRpc
        const horizon = yield* Horizon
        yield* fundBoth(network)
        const { sequence } = Option.getOrThrow(yield* horizon.account(alice.publicKey()))
        const bad = payXlm(alice, sequence + 7n, bob).envelopeXdr
        const byRpc = yield* rpc.sendTransaction(bad)
        const byHorizon = yield* horizon.submitAsync(bad)
        expect(byRpc.status).toBe("ERROR")
        expect(byHorizon.status).toBe("ERROR")
        expect(byHorizon.errorResultXdr).toEqual(byRpc.errorResultXdr)
        const result = xdr.TransactionResult.fromXDR(Option.getOrThrow(byRpc.errorResultXdr), "base64")
        expect(result.result.type).toBe("txBadSeq")
      }),
    )

    on("what is no transaction is the caller's mistake, and never an unknown outcome", () =>
      Effect.gen(function* () {
        const rpc = yield* SorobanRpc
        const horizon = yield* Horizon
        const byRpc = yield* Effect.flip(rpc.sendTransaction("AAAA"))
        expect([byRpc.reason, byRpc.retry]).toEqual(["invalid_request", "never"])
        const byHorizon = yield* Effect.flip(horizon.submitAsync("AAAA"))
        expect([byHorizon.reason, byHorizon.retry]).toEqual(["bad_request", "never"])
      }),
    )
  })

suite("over HTTP", overHttp)
suite("in process", inProcess)

describe("a server that is not there", () => {
  const nowhere = Layer.merge(
    SorobanRpcHttp.layerUrls(["http://127.0.0.1:9/rpc"], TIMEOUT_MS),
    HorizonHttp.layerUrls(["http://127.0.0.1:9"], TIMEOUT_MS),
  ).pipe(Layer.provide(FetchHttpClient.layer))

  live("is worth another try for a read, and unknown for a submission", () =>
    Effect.gen(function* () {
      const rpc = yield* SorobanRpc
      const horizon = yield* Horizon
      expect((yield* Effect.flip(rpc.getLatestLedger)).retry).toBe("backoff")
      expect((yield* Effect.flip(rpc.sendTransaction("AAAA"))).retry).toBe("unknown_outcome")
      expect((yield* Effect.flip(horizon.root)).retry).toBe("backoff")
      expect((yield* Effect.flip(horizon.submitAsync("AAAA"))).retry).toBe("unknown_outcome")
    }).pipe(Effect.provide(nowhere)),
  )

  live("is passed over for the next endpoint", () =>
    Effect.gen(function* () {
      const network = open()
      const server = yield* Effect.acquireRelease(
        Effect.promise(() =>
          startLocalnetServer({ network, hostname: "127.0.0.1", port: 0, closeIntervalMs: NEVER_MS }),
        ),
        (started) => Effect.promise(() => started.stop()),
      )
      const rpc = yield* SorobanRpc.pipe(
        Effect.provide(
          SorobanRpcHttp.layerUrls(["http://127.0.0.1:9/rpc", `${server.url}/rpc`], TIMEOUT_MS).pipe(
            Layer.provide(FetchHttpClient.layer),
          ),
        ),
      )
      expect((yield* rpc.getNetwork).passphrase).toBe(PASSPHRASE)
    }),
  )
})
