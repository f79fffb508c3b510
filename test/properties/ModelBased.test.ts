/**
 * Any interleaving of accepts (with keys that come again, other bodies, caps and budgets), cancellations, retries,
 * campaign pauses, workers that fall before or after any statement and any call, commits of unknown outcome, workers
 * that wake with old leases, lost, late and left-out envelopes, fee surges, trustlines that come and go, and money
 * that leaves the treasury: after every move and in the end the invariants I1 to I5 hold, and when the faults stop
 * everything comes to its end.
 *
 * fast-check prints the seed and the moves of a run that fails.
 */
import { expect, test } from "bun:test"
import { Effect, Logger } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { tally } from "../support/IssuanceScene.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { checkAccepted, checkLaws } from "./ModelBasedLaws.ts"
import { type Move, moves } from "./ModelBasedMoves.ts"
import {
  changeCampaign,
  closeLedger,
  deliverLate,
  hasLine,
  makeWorld,
  perform,
  resume,
  setTreasury,
  setTrustline,
  sleep,
  type World,
} from "./ModelBasedWorld.ts"

/** An envelope lives for six ledgers here, and a banned hash is banned for ten. */
const LEDGERS_TO_DRAIN = 60

/** The faults are meant: what the programs say of them would bury the test's own words. */
const quiet = Logger.layer([])

const play = (world: World, move: Move): Effect.Effect<unknown, unknown> => {
  switch (move._tag) {
    case "Together":
      return Effect.forEach(move.deeds, (deed) => perform(world, deed), { concurrency: "unbounded" })
    case "Close":
      return closeLedger(world)
    case "Sleep":
      return sleep
    case "LeaveOut":
      return Effect.sync(() => {
        world.sky.leaveOut = move.ledgers
      })
    case "Weather":
      return Effect.sync(() => {
        world.sky.weather = move.weather
      })
    case "DeliverLate":
      return Effect.sync(() => deliverLate(world))
    case "Surge":
      return Effect.sync(() => world.traffic.fill(2, move.bid))
    case "Trustline":
      return setTrustline(world, move.isThere)
    case "Treasury":
      return setTreasury(world, move.stroops)
    case "Resume":
      return resume(world)
    default:
      return perform(world, move)
  }
}

/** Faults off: everything that is not held for its recipient must come to its end. */
const drain = Effect.fnUntraced(function* (world: World) {
  Object.assign(world.sky, { weather: "none", leaveOut: 0 })
  deliverLate(world)
  yield* setTreasury(world, 1_000_000)
  for (const campaign of [0, 1, 2]) yield* changeCampaign(world, campaign, false)
  // Longer than any lease, and than held rewards wait for the next look (ten minutes).
  yield* TestClock.adjust("11 minutes")
  for (let ledger = 0; ledger < LEDGERS_TO_DRAIN; ledger++) {
    yield* resume(world)
    yield* perform(world, { _tag: "Upkeep", worker: 0, fall: undefined })
    yield* perform(world, { _tag: "Step", worker: 0, fall: undefined })
    yield* closeLedger(world)
    const counts = yield* tally
    if (counts.pending === undefined && counts.submitted === undefined && ledger > 4) break
  }
})

const checkEnd = Effect.fnUntraced(function* (world: World) {
  const sql = yield* SqlClient.SqlClient
  const counts = yield* tally
  const open = Object.keys(counts).filter((name) => name === "pending" || name === "submitted")
  expect(open).toEqual([])
  expect(yield* sql`SELECT hash FROM stellar_envelopes WHERE status = 'signed'`).toEqual([])
  expect(yield* sql`SELECT id, status FROM channel_accounts WHERE status <> 'open'`).toEqual([])
  // Who is held still waits for a trustline that is not there.
  const held = yield* sql<{ wallet_account: string; reason: string }>`
    SELECT DISTINCT wallet_account, reason FROM reward_issuances WHERE status = 'held'`
  for (const { reason, wallet_account } of held) {
    expect([reason, hasLine(world, wallet_account)]).toEqual(["no_trustline", false])
  }
})

/** What has happened in all runs together: a test that provokes nothing could not fail. */
const seen = new Map<string, number>()

const count = (name: string, times: number) => {
  seen.set(name, (seen.get(name) ?? 0) + times)
}

const countSeen = Effect.fnUntraced(function* (world: World) {
  const sql = yield* SqlClient.SqlClient
  for (const [name, times] of Object.entries(yield* tally)) count(name, times)
  const envelopes = yield* sql<{ name: string; times: number }>`
    SELECT CASE WHEN inner_hash IS NULL THEN 'envelope ' ELSE 'bump ' END || status AS name, count(*)::int AS times
    FROM stellar_envelopes GROUP BY 1`
  for (const { name, times } of envelopes) count(name, times)
  for (const actor of [world.api, ...world.workers]) {
    for (const [name, times] of Object.entries(actor.falls())) count(name, times)
  }
})

const run = (list: ReadonlyArray<Move>) =>
  Effect.gen(function* () {
    const world = yield* makeWorld
    for (const move of list) {
      // Whatever became of it: the next move starts from database and ledger.
      yield* Effect.exit(play(world, move))
      if (move._tag === "Close" || move._tag === "Together") yield* checkLaws(world)
    }
    yield* drain(world)
    yield* checkLaws(world)
    yield* checkAccepted(world)
    yield* checkEnd(world)
    yield* countSeen(world)
  }).pipe(
    Effect.provide(TestDatabase.layer, { local: true }),
    Effect.provide([TestClock.layer(), quiet]),
    Effect.scoped,
    Effect.runPromise,
  )

test("whatever happens, each reward is accepted once, paid once at most, and nothing is lost", async () => {
  await fc.assert(fc.asyncProperty(moves, run), {
    numRuns: 40,
    // A slow machine plays fewer of them.
    interruptAfterTimeLimit: 40_000,
  })
  // It was not a quiet sea.
  for (const name of ["confirmed", "envelope applied", "envelope expired", "crash before", "crash after"]) {
    expect([name, (seen.get(name) ?? 0) > 0]).toEqual([name, true])
  }
}, 180_000)
