/** Upkeep transactions through crashes, losses, strangers and races: stored, sent, and ended by the ledger alone. */
import { describe, expect } from "bun:test"
import { Operation } from "@stellar/stellar-sdk"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { advanceUpkeep, submitUpkeep } from "../../src/issuance/UpkeepSteps.ts"
import { isUpkeepPaused } from "../../src/issuance/UpkeepTransactions.ts"
import type { Meddle } from "../support/IssuanceScene.ts"
import { distribution } from "../support/TestNetwork.ts"
import { losingAnswers, makeBlackHole } from "../support/WorkerScene.ts"
import { balanceOf, planByHand, stageWithChannels, topUpByHand, upkeepRows } from "./UpkeepHarness.ts"

const statuses = Effect.map(upkeepRows("top_up"), (rows) => rows.map(({ status }) => status))

describe("an upkeep transaction", () => {
  stageWithChannels("is stored, sent, and ended by the ledger that includes it", (stage) =>
    Effect.gen(function* () {
      expect(yield* topUpByHand("1.5")).toBe(true)
      expect(yield* statuses).toEqual(["signed"])
      expect(yield* advanceUpkeep()).toBe("open")
      yield* stage.close
      expect(yield* advanceUpkeep()).toBe("free")
      const [row] = yield* upkeepRows("top_up")
      expect(row).toMatchObject({ status: "applied", ledger: BigInt(stage.network.latest().sequence) })
      expect(row?.sequence).toBe(stage.sequenceOf(distribution.publicKey()))
      expect(yield* balanceOf(0)).toBe("6.5000000")
      expect(yield* advanceUpkeep()).toBe("free")
    }),
  )

  stageWithChannels(
    "whose answers are lost is sent again and applies once",
    (stage) =>
      Effect.gen(function* () {
        yield* topUpByHand()
        yield* TestClock.adjust("5 seconds")
        expect(yield* advanceUpkeep()).toBe("open")
        yield* stage.close
        expect(yield* advanceUpkeep()).toBe("free")
        expect(yield* statuses).toEqual(["applied"])
        expect(yield* balanceOf(0)).toBe("6.0000000")
      }),
    { meddle: losingAnswers },
  )

  let dying = false
  const crash: Meddle = (rpc) => ({
    ...rpc,
    sendTransaction: (envelopeXdr) =>
      dying ? Effect.die(new Error("killed")) : rpc.sendTransaction(envelopeXdr),
  })
  stageWithChannels(
    "whose worker was killed between storing and sending is sent by the next one",
    (stage) =>
      Effect.gen(function* () {
        dying = true
        expect((yield* Effect.exit(topUpByHand()))._tag).toBe("Failure")
        dying = false
        expect(yield* statuses).toEqual(["signed"])
        // Nothing else may come between.
        expect(yield* topUpByHand("2")).toBe(false)
        yield* stage.close
        expect(yield* advanceUpkeep()).toBe("open")
        yield* stage.close
        expect(yield* advanceUpkeep()).toBe("free")
        expect(yield* balanceOf(0)).toBe("6.0000000")
      }),
    { meddle: crash },
  )

  const { hole, meddle } = makeBlackHole()
  stageWithChannels(
    "that never arrived ends in its last ledger and not before, and its bytes are worth nothing then",
    (stage) =>
      Effect.gen(function* () {
        hole.isDown = true
        yield* topUpByHand()
        const [row] = yield* upkeepRows("top_up")
        // maxLedger is exclusive (CAP-21): in the ledger before it, the transaction could still apply.
        while (BigInt(stage.network.latest().sequence + 1) < (row?.ledger_max ?? 0n)) {
          expect(yield* advanceUpkeep()).toBe("open")
          yield* stage.close
        }
        expect(yield* advanceUpkeep()).toBe("free")
        expect(yield* statuses).toEqual(["expired"])
        hole.isDown = false
        expect(stage.network.submit(row?.envelope_xdr ?? "").status).toBe("ERROR")
        // Its sequence is free for the next one.
        expect(yield* topUpByHand("2")).toBe(true)
        yield* stage.close
        expect(yield* advanceUpkeep()).toBe("free")
        const rows = yield* upkeepRows("top_up")
        expect(rows.map(({ status }) => status)).toEqual(["expired", "applied"])
        expect(rows[1]?.sequence).toBe(row?.sequence ?? -1n)
        expect(yield* balanceOf(0)).toBe("7.0000000")
      }),
    { meddle },
  )

  const stranger = makeBlackHole()
  stageWithChannels(
    "whose sequence another hand consumed is over, once the node has surely seen that ledger",
    (stage) =>
      Effect.gen(function* () {
        stranger.hole.isDown = true
        yield* topUpByHand()
        stage.submit(distribution, Operation.setOptions({}))
        yield* stage.close
        // ADR 3: "not found" counts three ledgers after the one that consumed the sequence.
        for (let ledger = 0; ledger < 3; ledger++) {
          expect(yield* advanceUpkeep()).toBe("open")
          yield* stage.close
        }
        expect(yield* advanceUpkeep()).toBe("free")
        expect(yield* statuses).toEqual(["expired"])
        expect(yield* balanceOf(0)).toBe("5.0000000")
      }),
    { meddle: stranger.meddle },
  )

  let isBroken = false
  const unreadable: Meddle = (rpc) => ({
    ...rpc,
    getTransaction: (hash) =>
      Effect.map(rpc.getTransaction(hash), (answer) => ({
        ...answer,
        included: Option.map(answer.included, (included) =>
          isBroken ? { ...included, resultXdr: "AAAA" } : included,
        ),
      })),
  })
  stageWithChannels(
    "whose result cannot be read has no end until it can",
    (stage) =>
      Effect.gen(function* () {
        isBroken = true
        yield* topUpByHand()
        yield* stage.close
        expect(yield* advanceUpkeep()).toBe("open")
        isBroken = false
        expect(yield* advanceUpkeep()).toBe("free")
        expect(yield* statuses).toEqual(["applied"])
      }),
    { meddle: unreadable },
  )
})

describe("two workers", () => {
  stageWithChannels("that plan the same at once send one transaction", (stage) =>
    Effect.gen(function* () {
      const plans = yield* Effect.all([planByHand(), planByHand()])
      const sent = yield* Effect.forEach(plans, submitUpkeep, { concurrency: 2 })
      // The very same bytes, or other ones: one row either way.
      expect(sent.filter(Boolean).length).toBe(1)
      yield* stage.close
      const ended = yield* Effect.all([advanceUpkeep(), advanceUpkeep()], { concurrency: 2 })
      expect(ended).toEqual(["free", "free"])
      expect(yield* statuses).toEqual(["applied"])
      expect(yield* balanceOf(0)).toBe("6.0000000")
    }),
  )

  stageWithChannels("of whom one planned on an answer of the past: it stores nothing", (stage) =>
    Effect.gen(function* () {
      const old = yield* planByHand("3")
      yield* topUpByHand()
      yield* stage.close
      expect(yield* advanceUpkeep()).toBe("free")
      expect(yield* submitUpkeep(old)).toBe(false)
      expect(yield* statuses).toEqual(["applied"])
      expect(yield* balanceOf(0)).toBe("6.0000000")
    }),
  )
})

describe("failures", () => {
  stageWithChannels("in a row pause their kind, each twice as long; a success ends that", (stage) =>
    Effect.gen(function* () {
      const fail = Effect.gen(function* () {
        const plan = yield* planByHand("50")
        const operations = Array.from({ length: 20 }, () => plan.operations).flat()
        // Planned while there was more: somebody has spent it since.
        const availableStroops = 1_000_000_0000000n
        const subjects = operations.map(() => "0")
        const drained = yield* submitUpkeep({ ...plan, operations, subjects, availableStroops })
        yield* stage.close
        yield* advanceUpkeep()
        return drained
      })
      // Each takes 1,000 XLM; after nine of them the tenth finds too little.
      for (let round = 0; round < 9; round++) yield* fail
      expect(yield* isUpkeepPaused("top_up")).toBe(false)
      yield* fail
      expect((yield* statuses).at(-1)).toBe("failed")
      expect(yield* isUpkeepPaused("top_up")).toBe(true)
      expect(yield* isUpkeepPaused("reclaim")).toBe(false)
      yield* TestClock.adjust("9999 millis")
      expect(yield* isUpkeepPaused("top_up")).toBe(true)
      yield* TestClock.adjust("1 millis")
      expect(yield* isUpkeepPaused("top_up")).toBe(false)
      yield* fail
      yield* TestClock.adjust("10 seconds")
      expect(yield* isUpkeepPaused("top_up")).toBe(true)
      yield* TestClock.adjust("10 seconds")
      expect(yield* isUpkeepPaused("top_up")).toBe(false)
      yield* topUpByHand()
      yield* stage.close
      yield* advanceUpkeep()
      expect(yield* isUpkeepPaused("top_up")).toBe(false)
    }),
  )
})
