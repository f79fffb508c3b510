/** The daily cap, in PostgreSQL: what is counted, what is refused, and that no caller's transaction undoes it. */
import { expect } from "bun:test"
import { Clock, Effect, Logger } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { makeDailyCap } from "../../layers/signer/SigningDays.ts"
import { channelKey, Signer } from "../../src/ports/Signer.ts"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { distribution } from "../support/TestNetwork.ts"
import { startKms } from "./KmsStandIn.ts"
import { BATCH_KEYS, bumpOf, kmsLayer, leave, localLayer, pay, transactionOf } from "./Signers.ts"

const { effect } = withLayer(TestDatabase.layer)

const UNIT = 1_0000000n

interface Day {
  readonly day: string
  readonly signed_stroops: bigint
  readonly cap_stroops: bigint
}

/** The table, oldest day first. */
const days = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<Day>`SELECT day::text, signed_stroops, cap_stroops FROM signing_days ORDER BY day`
})

const empty = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DELETE FROM signing_days`
})

const withCap = (capUnits: bigint) =>
  Effect.gen(function* () {
    yield* empty
    return yield* signerWithCap(capUnits)
  })

const signerWithCap = (capUnits: bigint) =>
  Effect.gen(function* () {
    const dailyCap = yield* makeDailyCap(capUnits * UNIT)
    return yield* Effect.provide(Signer, localLayer(dailyCap), { local: true })
  })

const signPayment = Effect.fnUntraced(function* (signer: Signer["Service"], amount: string) {
  const transaction = yield* transactionOf(signer, [pay(amount)])
  return yield* signer.sign(transaction.toXdr(), BATCH_KEYS)
})

effect("payments and claimable balances count, to the last stroop of the cap", () =>
  Effect.gen(function* () {
    const signer = yield* withCap(100n)
    const transaction = yield* transactionOf(signer, [pay("50"), leave()])
    yield* signer.sign(transaction.toXdr(), BATCH_KEYS)
    expect(yield* days).toEqual([{ day: "1970-01-01", signed_stroops: 75n * UNIT, cap_stroops: 100n * UNIT }])
    const error = yield* Effect.flip(signPayment(signer, "25.0000001"))
    expect([error.reason, error.retry]).toEqual(["daily_cap", "backoff"])
    yield* signPayment(signer, "25")
    expect((yield* Effect.flip(signPayment(signer, "0.0000001"))).reason).toBe("daily_cap")
    expect((yield* days)[0]?.signed_stroops).toBe(100n * UNIT)
  }),
)

effect("one transaction alone above the cap starts no day", () =>
  Effect.gen(function* () {
    const signer = yield* withCap(100n)
    expect((yield* Effect.flip(signPayment(signer, "100.0000001"))).reason).toBe("daily_cap")
    expect(yield* days).toEqual([])
  }),
)

effect("a new day begins at midnight UTC", () =>
  Effect.gen(function* () {
    const signer = yield* withCap(100n)
    yield* TestClock.adjust(86_340_000)
    yield* signPayment(signer, "100")
    yield* TestClock.adjust("59 seconds")
    expect((yield* Effect.flip(signPayment(signer, "1"))).reason).toBe("daily_cap")
    yield* TestClock.adjust("1 second")
    expect(yield* Clock.currentTimeMillis).toBe(86_400_000)
    yield* signPayment(signer, "1")
    expect((yield* days).map(({ day, signed_stroops }) => [day, signed_stroops])).toEqual([
      ["1970-01-01", 100n * UNIT],
      ["1970-01-02", UNIT],
    ])
  }),
)

effect("a fee bump moves nothing new and counts nothing; a rebuild counts again", () =>
  Effect.gen(function* () {
    const signer = yield* withCap(100n)
    const signed = yield* signPayment(signer, "40")
    const bump = bumpOf(yield* signer.channelAddress(0), 1_000, signed.envelopeXdr)
    yield* signer.sign(bump.toXdr(), [channelKey(0)])
    expect((yield* days)[0]?.signed_stroops).toBe(40n * UNIT)
    yield* signPayment(signer, "40")
    expect((yield* days)[0]?.signed_stroops).toBe(80n * UNIT)
  }),
)

effect("the newest setting holds for a running day: raised it makes room, lowered it takes it", () =>
  Effect.gen(function* () {
    yield* signPayment(yield* withCap(100n), "100")
    yield* signPayment(yield* signerWithCap(150n), "50")
    expect(yield* days).toEqual([
      { day: "1970-01-01", signed_stroops: 150n * UNIT, cap_stroops: 150n * UNIT },
    ])
    expect((yield* Effect.flip(signPayment(yield* signerWithCap(10n), "1"))).reason).toBe("daily_cap")
  }),
)

effect("a transaction of the caller that rolls back takes nothing back", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const signer = yield* withCap(100n)
    const inside = Effect.gen(function* () {
      yield* signPayment(signer, "60")
      return yield* Effect.fail("rolled back")
    })
    expect(yield* Effect.flip(sql.withTransaction(inside))).toBe("rolled back")
    expect((yield* days)[0]?.signed_stroops).toBe(60n * UNIT)
  }),
)

effect("signers at the same time do not pass the cap together", () =>
  Effect.gen(function* () {
    const signer = yield* withCap(100n)
    const outcomes = yield* Effect.forEach(
      Array.from({ length: 12 }),
      () => Effect.isSuccess(signPayment(signer, "30")),
      { concurrency: 8 },
    )
    expect(outcomes.filter(Boolean)).toHaveLength(3)
    expect((yield* days)[0]?.signed_stroops).toBe(90n * UNIT)
  }),
)

effect("what the policy refuses counts nothing", () =>
  Effect.gen(function* () {
    const signer = yield* withCap(100n)
    const transaction = yield* transactionOf(signer, [pay("40")])
    yield* Effect.flip(signer.sign(transaction.toXdr(), [channelKey(0)]))
    expect(yield* days).toEqual([])
  }).pipe(Effect.provide(Logger.layer([]))),
)

effect("what KMS certainly did not sign is not counted; what it may have signed is", () =>
  Effect.gen(function* () {
    yield* empty
    const { mood, url } = yield* startKms(distribution)
    const dailyCap = yield* makeDailyCap(100n * UNIT)
    const signer = yield* Effect.provide(Signer, kmsLayer(url, {}, dailyCap), { local: true })
    mood.failure = { type: "ThrottlingException", status: 400 }
    expect((yield* Effect.flip(signPayment(signer, "40"))).reason).toBe("throttled")
    expect((yield* days)[0]?.signed_stroops).toBe(0n)
    mood.failure = { type: "KMSInternalException", status: 500 }
    expect((yield* Effect.flip(signPayment(signer, "40"))).reason).toBe("unavailable")
    expect((yield* days)[0]?.signed_stroops).toBe(40n * UNIT)
    mood.failure = undefined
    expect((yield* Effect.flip(signPayment(signer, "60.0000001"))).reason).toBe("daily_cap")
    expect(mood.signed).toBe(0)
    yield* signPayment(signer, "60")
    expect(mood.signed).toBe(1)
  }),
)

effect("a database that gives no answer: nothing is signed", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const signer = yield* withCap(100n)
    yield* sql`ALTER TABLE signing_days RENAME TO signing_days_away`
    const error = yield* Effect.flip(signPayment(signer, "1"))
    yield* sql`ALTER TABLE signing_days_away RENAME TO signing_days`
    expect([error.reason, error.retry]).toEqual(["unavailable", "backoff"])
  }),
)
