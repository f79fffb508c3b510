/**
 * From accepted to confirmed, on an idle system with ledgers as slow as the real ones: rewards issued over HTTP, at
 * most one in each ledger's time, at moments spread evenly over the ledger, and read until they are confirmed.
 */
import { cpSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import * as Live from "../../layers/Live.ts"
import { makeProgressBar } from "../../src/demo/ProgressBar.ts"
import { Merchants } from "../../src/merchant/Merchants.ts"
import { freshDatabase, onDatabase } from "./Ground.ts"
import { latestLedger } from "./LedgerPayments.ts"
import { percentile } from "./Percentile.ts"
import { programEnvironment, signingEnvironment, startApi, startNetwork, startWorker } from "./Programs.ts"
import { openShop } from "./Rows.ts"
import type { Stage } from "./Settlement.ts"

export interface AcceptOptions {
  readonly samples: number
  readonly closeIntervalMs: number
}

export interface AcceptLatency {
  readonly samples: number
  readonly close_interval_ms: number
  /** From the answer 202 to the first answer that says confirmed, in seconds. */
  readonly p50_seconds: number
  readonly p95_seconds: number
  readonly max_seconds: number
  /** The same, in close intervals. */
  readonly p50_ledgers: number
  readonly p95_ledgers: number
  /** How many ledgers closed until the one that paid: 1 is the next one. */
  readonly paid_in_ledger: Readonly<Record<number, number>>
}

interface Sample {
  readonly seconds: number
  readonly ledgersUntilPaid: number
}

interface Shopfront {
  readonly apiUrl: string
  readonly apiKey: string
  readonly campaignId: string
  readonly horizonUrl: string
  readonly wallets: ReadonlyArray<string>
}

/** How often a reward is read, in ms. */
const READ_EVERY_MS = 25
const CONFIRMED_WITHIN_INTERVALS = 12
/** Multiples of it, modulo 1, fill the unit interval evenly (the golden ratio's fraction). */
const SPREAD = 0.6180339887

const call = (front: Shopfront, path: string, body?: unknown) =>
  Effect.promise(async () => {
    const response = await fetch(`${front.apiUrl}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "x-api-key": front.apiKey, "content-type": "application/json" },
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`)
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  })

const issueOne = Effect.fnUntraced(function* (front: Shopfront, index: number, withinMs: number) {
  const accepted = yield* call(front, "/api/rewards/issue", {
    idempotencyKey: `accept-${index}`,
    walletAddress: front.wallets[index % front.wallets.length],
    amount: "0.25",
    campaignId: front.campaignId,
  })
  const acceptedAtMs = performance.now()
  const ledger = yield* latestLedger(front.horizonUrl)
  while (performance.now() - acceptedAtMs < withinMs) {
    const issuance = yield* call(front, `/api/rewards/issuances/${accepted.issuanceId}`)
    if (issuance.status === "confirmed") {
      return {
        seconds: (performance.now() - acceptedAtMs) / 1000,
        ledgersUntilPaid: Number(issuance.ledger) - ledger,
      } satisfies Sample
    }
    yield* Effect.sleep(READ_EVERY_MS)
  }
  return yield* Effect.die(new Error(`reward ${index} was not confirmed within ${withinMs / 1000} s`))
})

/** Each in a ledger's time of its own, one after the other's, at another phase. */
const issueAll = Effect.fnUntraced(function* (front: Shopfront, options: AcceptOptions) {
  const { closeIntervalMs, samples } = options
  const bar = makeProgressBar("accept", samples, process.stderr)
  let done = 0
  const taken = yield* Effect.forEach(
    Array.from({ length: samples }, (_, index) => index),
    (index) =>
      Effect.sleep(closeIntervalMs * (index + ((index * SPREAD) % 1))).pipe(
        Effect.andThen(issueOne(front, index, closeIntervalMs * CONFIRMED_WITHIN_INTERVALS)),
        Effect.tap(() => Effect.sync(() => bar.update(++done))),
      ),
    { concurrency: "unbounded" },
  )
  bar.finish()
  return taken
})

const newKey = (databaseUrl: string, merchantId: string) =>
  Effect.flatMap(Merchants, (merchants) => merchants.createKey({ merchantId, mode: "test" })).pipe(
    Effect.provide(
      Live.merchantServices("bench").pipe(
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { DATABASE_URL: databaseUrl } }))),
      ),
      { local: true },
    ),
    Effect.orDie,
  )

/** Starts network, worker and API of its own; all have ended afterwards. */
export const measureAccept = Effect.fn("bench.measureAccept")(function* (
  stage: Stage,
  options: AcceptOptions,
) {
  const directory = join(stage.ground.directory, "accept")
  const ledgerFile = join(directory, "ledger")
  mkdirSync(directory, { recursive: true })
  cpSync(stage.ledgerFile, ledgerFile)
  const { closeIntervalMs } = options
  const network = yield* startNetwork(directory, { ledgerFile, closeIntervalMs, profile: "mainnet" })
  const databaseUrl = yield* freshDatabase(stage.ground, "accept")
  const env = programEnvironment(databaseUrl, network, stage.accounts)
  yield* startWorker(directory, "worker", { ...env, ...signingEnvironment(stage.accounts) })
  const apiUrl = yield* startApi(directory, env)
  const { campaignId, merchantId } = yield* onDatabase(databaseUrl, openShop(1, new Date()))
  const apiKey = Redacted.value(yield* newKey(databaseUrl, merchantId))
  const front = { apiUrl, apiKey, campaignId, horizonUrl: network.url, wallets: stage.accounts.wallets }
  const taken = yield* issueAll(front, options)
  const seconds = taken.map((sample) => sample.seconds)
  const paidIn: Record<number, number> = {}
  for (const { ledgersUntilPaid } of taken) paidIn[ledgersUntilPaid] = (paidIn[ledgersUntilPaid] ?? 0) + 1
  const [p50, p95, max] = [50, 95, 100].map((p) => percentile(seconds, p))
  return {
    samples: taken.length,
    close_interval_ms: closeIntervalMs,
    p50_seconds: p50 ?? Number.NaN,
    p95_seconds: p95 ?? Number.NaN,
    max_seconds: max ?? Number.NaN,
    p50_ledgers: ((p50 ?? Number.NaN) * 1000) / closeIntervalMs,
    p95_ledgers: ((p95 ?? Number.NaN) * 1000) / closeIntervalMs,
    paid_in_ledger: paidIn,
  } satisfies AcceptLatency
}, Effect.scoped)
