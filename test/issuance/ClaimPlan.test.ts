/**
 * A long history does not slow issuing: no statement of a worker's life reads a table as a whole that grows with every
 * reward ever issued. Checked by PostgreSQL's own plans, on 200,000 rewards that ended long ago.
 */
import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { countStates, openShop, tidyUp, writeHistory } from "../../bench/settle/Rows.ts"
import { Batches } from "../../src/issuance/Batches.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { freeHeldRewards } from "../../src/issuance/HeldRewards.ts"
import type { Lease } from "../../src/issuance/Lease.ts"
import { accept, sceneLayer, setTheScene } from "../support/IssuanceScene.ts"
import { withLayer } from "../support/it.ts"
import { makeTestNetwork } from "../support/TestNetwork.ts"
import { LEASE_MS, openChannels, rewards, stepAs, trusting, without } from "../support/WorkerScene.ts"
import { type PlannedStatement, plansOf } from "./PlanCheck.ts"

const HISTORIC_ROWS = 200_000
const HISTORIC_ENVELOPES = 20_000
/** A twentieth of the history: what is alive here is some hundreds. */
const ROWS_MAX = 10_000
const AT = new Date("2026-01-01T00:00:00Z")

const stage = makeTestNetwork()
const { effect } = withLayer(sceneLayer(stage))

/** Envelopes of rewards that were paid long ago, in ledger 1, at sequences far below the channels' own. */
const writeEnvelopes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    INSERT INTO stellar_envelopes (hash, channel_id, sequence, envelope_xdr, issuance_ids, ledger_signed, ledger_max,
      fee_stroops_max, status, result_xdr, ledger, sends, created_at, updated_at)
    SELECT encode(sha256(('envelope ' || n)::bytea), 'hex'), n % 4, n, 'AAAA', ARRAY['iss'], 1, 2, 100, 'applied', 'AAAA', 1, 1,
      ${AT}, ${AT}
    FROM generate_series(1, ${HISTORIC_ENVELOPES}::int) AS n`
  yield* sql`VACUUM (ANALYZE) stellar_envelopes`
})

/** Once for the file: accounts, channels, a history, and rewards that wait. */
let isSet = false
const setUp = Effect.gen(function* () {
  if (isSet) return
  isSet = true
  yield* setTheScene(stage)
  yield* openChannels(stage)
  const shop = yield* openShop(1, AT)
  yield* writeHistory({ shop, wallets: [trusting, without], first: 1_000_000, count: HISTORIC_ROWS }, AT)
  yield* tidyUp
  yield* writeEnvelopes
})

const breachesOf = (planned: ReadonlyArray<PlannedStatement>) =>
  planned.filter(({ breaches }) => breaches.length > 0).map(({ breaches, text }) => ({ breaches, text }))

const indexesOf = (planned: ReadonlyArray<PlannedStatement>) =>
  new Set(planned.flatMap(({ indexes }) => indexes))

const analyze = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`ANALYZE reward_issuances, issuance_events, stellar_envelopes`,
)

effect(
  "a worker's steps, from claiming to confirmed and failed",
  () =>
    Effect.gen(function* () {
      yield* setUp
      yield* accept([...rewards(250), ...rewards(5, without)])
      yield* analyze
      const planned: Array<PlannedStatement> = []
      for (let ledger = 0; ledger < 4; ledger++) {
        planned.push(...(yield* plansOf(stepAs("one"), ROWS_MAX)))
        yield* stage.close
      }
      expect(breachesOf(planned)).toEqual([])
      // It did what it does in life: of a hundred historic rewards 97 are confirmed and two failed, and now 250 were
      // claimed, signed for and confirmed, and five taken out.
      expect(yield* countStates).toEqual({ confirmed: 194_250, failed: 4005, cancelled: 2000 })
      const indexes = indexesOf(planned)
      expect(indexes).toContain("reward_issuances_pending")
      expect(indexes).toContain("reward_issuances_submitted")
      expect(indexes).toContain("stellar_envelopes_sequence")
    }),
  { timeout: 120_000 },
)

/** Each once, whatever it then finds to do. */
const everyQuery = Effect.fnUntraced(function* (lease: Lease) {
  const batches = yield* Batches
  const sequence = 1n
  const hash = "0".repeat(64)
  const included = { sequence, hash, ledger: 1, resultXdr: "AAAA", feeStroops: 100n }
  const ids = ["iss_0"]
  const ejection = { issuanceId: "iss_0", reason: "no_trustline", code: null, checkAt: null } as const
  yield* batches.work
  yield* batches.inFlight([0, 1, 2, 3])
  yield* batches.bound(lease, sequence)
  yield* batches.lookAlikes(lease, sequence)
  yield* Effect.exit(batches.body(hash))
  yield* batches.recordSent(hash, 1, "PENDING")
  yield* batches.recordExpired(lease, [hash])
  yield* batches.releaseExpired(lease, sequence)
  yield* batches.settlePaid(lease, { ...included, issuanceIds: ids, balances: [] })
  yield* batches.settleFailed(lease, {
    ...included,
    code: "txFailed",
    ejections: [
      { ...ejection, to: "failed" },
      { ...ejection, to: "held" },
    ],
  })
})

effect("every query about batches by itself, leases, and held rewards", () =>
  Effect.gen(function* () {
    yield* setUp
    yield* analyze
    const channels = yield* Channels
    const [lease] = yield* channels.lease("one", LEASE_MS)
    if (lease === undefined) throw new Error("there is no channel")
    const planned = yield* plansOf(everyQuery(lease), ROWS_MAX)
    expect(breachesOf(planned)).toEqual([])
    expect(planned.length).toBeGreaterThan(12)
    const leasing = yield* plansOf(channels.lease("two", LEASE_MS), ROWS_MAX)
    expect(breachesOf(leasing)).toEqual([])
    expect(breachesOf(yield* plansOf(freeHeldRewards(), ROWS_MAX))).toEqual([])
  }),
)

effect("the check itself: without its index, looking for work is caught", () =>
  Effect.gen(function* () {
    yield* setUp
    const sql = yield* SqlClient.SqlClient
    const batches = yield* Batches
    const found: Array<PlannedStatement> = []
    const meddled = Effect.gen(function* () {
      yield* sql`DROP INDEX reward_issuances_pending`
      yield* sql`DROP INDEX reward_issuances_waiting`
      found.push(...(yield* plansOf(batches.work, ROWS_MAX)))
      return yield* Effect.fail("undone")
    })
    expect(Option.isNone(yield* Effect.option(sql.withTransaction(meddled)))).toBe(true)
    expect(breachesOf(found).length).toBe(1)
    expect(breachesOf(yield* plansOf(batches.work, ROWS_MAX))).toEqual([])
  }),
)
