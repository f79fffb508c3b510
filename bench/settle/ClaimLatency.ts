/** How long the real `Batches.claim` takes: with no history, with a long one, and with another merchant's flood. */
import { ConfigProvider, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as Live from "../../layers/Live.ts"
import { makeProgressBar } from "../../src/demo/ProgressBar.ts"
import { Batches } from "../../src/issuance/Batches.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import type { ClaimTerms } from "../../src/issuance/ClaimRewards.ts"
import { freshDatabase, onDatabase } from "./Ground.ts"
import { percentile } from "./Percentile.ts"
import type { ClaimPlan } from "./Plan.ts"
import { programEnvironment, signingEnvironment } from "./Programs.ts"
import { openShop, type Queue, queueRewards, tidyUp, writeHistory } from "./Rows.ts"
import type { Stage } from "./Settlement.ts"

const PAYMENTS = 100
/** Claims before the first measured one: statements are prepared and code is compiled by then. */
const WARM_UP = 10
/** Historic rows written in one transaction. */
const HISTORY_CHUNK = 50_000

/** A channel's first sequence, and a treasury that is never the limit, as of a ledger that no envelope is newer than. */
const TERMS: ClaimTerms = {
  sequence: 1n,
  paymentsMax: PAYMENTS,
  treasuryStroops: 10n ** 18n,
  treasuryLedger: 2 ** 31,
  // What is bound here is never settled: a limit would end the measurement.
  inFlightMax: 1_000_000,
}
/** Rewards of the small merchant beside the flood. */
const SMALL_MERCHANT_ROWS = 10

export interface ClaimFigures {
  readonly historic_rows: number
  readonly pending_rows: number
  readonly claims: number
  readonly p50_ms: number
  readonly p99_ms: number
}

export interface ClaimLatency {
  readonly empty: ClaimFigures
  readonly history: ClaimFigures
  readonly flood: ClaimFigures
  /** Claims until the small merchant's rewards behind the flood were all bound; 1 is the first claim. */
  readonly flood_small_merchant_claims: number
}

/** Channels `first` onwards, fresh, held by us for an hour; nothing is ever sent for them. */
const leaseChannels = Effect.fnUntraced(function* (first: number, count: number) {
  const channels = yield* Channels
  yield* channels.register(
    Array.from({ length: count }, (_, at) => ({
      id: first + at,
      address: `bench channel ${first + at}`,
      sequence: 0n,
    })),
  )
  const leases = yield* channels.lease("bench", 3_600_000)
  return leases.filter(({ channelId }) => channelId >= first)
})

/** Claims of fresh channels one after the other: their times in ms, and how many each bound. */
const claimAll = Effect.fnUntraced(function* (first: number, count: number, isDone?: Effect.Effect<boolean>) {
  const batches = yield* Batches
  const times: Array<number> = []
  let doneAfter = 0
  for (const lease of yield* leaseChannels(first, count)) {
    const startedMs = performance.now()
    const bound = yield* batches.claim(lease, TERMS)
    times.push(performance.now() - startedMs)
    if (bound === 0) return yield* Effect.die(new Error("a claim bound nothing"))
    if (isDone !== undefined && doneAfter === 0 && (yield* isDone)) doneAfter = times.length
  }
  return { times, doneAfter }
})

const pendingOf = (merchantId: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ count: number }>`
      SELECT count(*)::int AS count FROM reward_issuances WHERE status = 'pending' AND merchant_id = ${merchantId}`
    return row?.count ?? 0
  })

const figures = (
  rows: Pick<ClaimFigures, "historic_rows" | "pending_rows">,
  times: ReadonlyArray<number>,
): ClaimFigures => ({
  ...rows,
  claims: times.length,
  p50_ms: percentile(times, 50),
  p99_ms: percentile(times, 99),
})

const writeInChunks = Effect.fnUntraced(function* (queue: Queue, at: Date) {
  const bar = makeProgressBar("history", queue.count, process.stderr)
  for (let done = 0; done < queue.count; done += HISTORY_CHUNK) {
    const count = Math.min(HISTORY_CHUNK, queue.count - done)
    yield* writeHistory({ ...queue, first: queue.first + done, count }, at)
    bar.update(done + count)
  }
  bar.finish()
  yield* tidyUp
})

/** The scenes follow each other in one database; each claims with channels of its own. */
const scenes = Effect.fnUntraced(function* (plan: ClaimPlan, wallets: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  const { claims, floodRows, historicRows } = plan
  const at = new Date()
  const queued = claims * PAYMENTS
  const warmUp = WARM_UP * PAYMENTS
  const big = yield* openShop(1, at)
  const small = yield* openShop(2, at)
  let next = 1
  yield* queueRewards({ shop: big, wallets, first: next, count: warmUp + queued }, at)
  yield* claimAll(0, WARM_UP)
  const empty = yield* claimAll(WARM_UP, claims)
  next += warmUp + queued
  yield* writeInChunks({ shop: big, wallets, first: next, count: historicRows }, at)
  next += historicRows
  yield* queueRewards({ shop: big, wallets, first: next, count: queued }, at)
  const history = yield* claimAll(WARM_UP + claims, claims)
  next += queued
  yield* queueRewards({ shop: big, wallets, first: next, count: floodRows }, at)
  yield* queueRewards({ shop: small, wallets, first: next + floodRows, count: SMALL_MERCHANT_ROWS }, at)
  const smallIsBound = pendingOf(small.merchantId).pipe(
    Effect.map((count) => count === 0),
    Effect.provideService(SqlClient.SqlClient, sql),
    Effect.orDie,
  )
  const flood = yield* claimAll(
    WARM_UP + 2 * claims,
    Math.min(claims, Math.floor(floodRows / PAYMENTS)),
    smallIsBound,
  )
  return {
    empty: figures({ historic_rows: 0, pending_rows: queued }, empty.times),
    history: figures({ historic_rows: historicRows, pending_rows: queued }, history.times),
    flood: figures(
      { historic_rows: historicRows, pending_rows: floodRows + SMALL_MERCHANT_ROWS },
      flood.times,
    ),
    flood_small_merchant_claims: flood.doneAfter,
  } satisfies ClaimLatency
})

/** On a database of its own, with the services wired as the worker has them; nothing is sent to any network. */
export const measureClaim = Effect.fn("bench.measureClaim")(function* (stage: Stage, plan: ClaimPlan) {
  const databaseUrl = yield* freshDatabase(stage.ground, "claim")
  const nowhere = { pid: 0, url: "http://127.0.0.1:9" }
  const env = {
    ...programEnvironment(databaseUrl, nowhere, stage.accounts),
    ...signingEnvironment(stage.accounts),
  }
  const services = Live.issuance("bench").pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))),
    Layer.orDie,
  )
  return yield* onDatabase(
    databaseUrl,
    Effect.flatMap(SqlClient.SqlClient, (patient) =>
      scenes(plan, stage.accounts.wallets).pipe(
        Effect.provideService(SqlClient.SqlClient, patient),
        Effect.provide(services, { local: true }),
      ),
    ),
  )
}, Effect.scoped)
