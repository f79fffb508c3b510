/**
 * What the treasury holds is promised once: all that is bound, on whatever channel and by whichever worker, never
 * exceeds what the ledger says the distribution account has.
 */
import { describe, expect } from "bun:test"
import { Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Batches } from "../../src/issuance/Batches.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { accept, tally } from "../support/IssuanceScene.ts"
import { asset, distribution, issuer } from "../support/TestNetwork.ts"
import { burn, LEASE_MS, stepAs, trusting } from "../support/WorkerScene.ts"
import { control, drain, envelopes, rounds, type TableStage, tableScene } from "./TableScene.ts"

const bound = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ stroops: bigint }>`
    SELECT coalesce(sum(amount_stroops), 0)::bigint AS stroops FROM reward_issuances WHERE status = 'submitted'`
  return row?.stroops ?? 0n
})

/** Leaves so many stroops of the scene's 100,000 NOVA in the treasury. */
const leave = Effect.fnUntraced(function* (stage: TableStage, stroops: bigint) {
  const rest = 1_000_000_000_000n - stroops
  stage.submit(distribution, burn(`${rest / 10_000_000n}.${String(rest % 10_000_000n).padStart(7, "0")}`))
  yield* stage.close
})

const sevens = (count: number) =>
  Array.from({ length: count }, () => ({ wallet: trusting, amountStroops: 7n }))

describe("the treasury's float", () => {
  tableScene(
    "claims that run at the same time, of two workers on four channels, promise no more than there is",
    (stage) =>
      Effect.gen(function* () {
        const batches = yield* Batches
        const channels = yield* Channels
        yield* leave(stage, 1_000n)
        yield* accept(sevens(400))
        // Both are seen as workers first, so that the second lease gives each its half.
        yield* channels.lease("one", LEASE_MS)
        yield* channels.lease("two", LEASE_MS)
        const one = yield* channels.lease("one", LEASE_MS)
        const two = yield* channels.lease("two", LEASE_MS)
        expect([one.filter(({ isSpare }) => !isSpare).length, two.length]).toEqual([2, 2])
        const latest = stage.network.latest().sequence
        const claims = [...one, ...two].map((lease) =>
          batches
            .claim(lease, {
              sequence: stage.sequenceOf(lease.address) + 1n,
              paymentsMax: 100,
              treasuryStroops: 1_000n,
              treasuryLedger: latest,
              inFlightMax: 1_000,
            })
            .pipe(
              Effect.andThen(bound),
              Effect.tap((sum) => Effect.sync(() => expect(sum).toBeLessThanOrEqual(1_000n))),
            ),
        )
        yield* Effect.all(claims, { concurrency: "unbounded" })
        // 142 times seven is 994; another one would be one too many.
        expect(yield* bound).toBe(994n)
        stage.submit(issuer, Operation.payment({ destination: distribution.publicKey(), asset, amount: "1" }))
        yield* drain(stage, 10, "one")
      }),
    { channels: 4 },
    () => Effect.void,
  )

  tableScene("what waits for money is paid as it comes, in order, and nothing pauses", (stage) =>
    Effect.gen(function* () {
      yield* leave(stage, 20n)
      yield* accept(sevens(10))
      yield* stepAs("one")
      yield* rounds(stage, 3)
      expect(yield* tally).toEqual({ confirmed: 2, pending: 8 })
      for (const paid of [4, 6, 8]) {
        stage.submit(
          issuer,
          Operation.payment({ destination: distribution.publicKey(), asset, amount: "0.0000014" }),
        )
        yield* rounds(stage, 3)
        expect((yield* tally).confirmed).toBe(paid)
      }
      expect(yield* control).toBeNull()
    }),
  )

  tableScene(
    "a batch that the ledger has paid and the books have not settled yet is not counted as free",
    (stage) =>
      Effect.gen(function* () {
        yield* leave(stage, 20n)
        yield* accept(sevens(2))
        yield* stepAs("one")
        yield* stage.close
        // The ledger shows six stroops left; a claim before the verdict sees fourteen of these as promised still.
        yield* accept(sevens(2))
        yield* rounds(stage, 3)
        expect(yield* tally).toEqual({ confirmed: 2, pending: 2 })
        expect((yield* envelopes).map(({ status }) => status)).toEqual(["applied"])
        expect(yield* control).toBeNull()
      }),
  )

  tableScene("a balance that was read before the newest settlement binds nothing", (stage) =>
    Effect.gen(function* () {
      const batches = yield* Batches
      const channels = yield* Channels
      yield* leave(stage, 20n)
      const old = stage.network.latest().sequence
      yield* accept(sevens(2))
      yield* drain(stage)
      yield* accept(sevens(2))
      const [lease] = yield* channels.lease("one", LEASE_MS)
      if (lease === undefined) throw new Error("no channel")
      const sequence = stage.sequenceOf(lease.address) + 1n
      const claim = (treasuryStroops: bigint, treasuryLedger: number) =>
        batches.claim(lease, {
          sequence,
          paymentsMax: 100,
          treasuryStroops,
          treasuryLedger,
          inFlightMax: 1_000,
        })
      expect(yield* claim(20n, old)).toBe("unfit")
      expect(yield* claim(6n, stage.network.latest().sequence)).toBe(0)
      expect(yield* tally).toEqual({ confirmed: 2, pending: 2 })
    }),
  )
})
