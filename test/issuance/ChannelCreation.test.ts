/** The pool of channels: how many, made how, and what happens where the XLM does not suffice. */
import { describe, expect, test } from "bun:test"
import { Asset, Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { channelsFor, wantedChannels } from "../../src/issuance/ChannelCount.ts"
import { completeChannels, ensureChannels } from "../../src/issuance/ChannelCreation.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { IssuanceSettings } from "../../src/issuance/IssuanceSettings.ts"
import { readTreasury } from "../../src/issuance/LedgerAccounts.ts"
import { advanceUpkeep } from "../../src/issuance/UpkeepSteps.ts"
import type { TestNetwork } from "../support/IssuanceScene.ts"
import { distribution, issuer, settings } from "../support/TestNetwork.ts"
import { losingAnswers } from "../support/WorkerScene.ts"
import { balanceOf, emptyStage, upkeepRows, whileLedgersClose } from "./UpkeepHarness.ts"

const known = Effect.gen(function* () {
  const channels = yield* Channels
  return (yield* channels.list).map(({ id }) => id)
})

const upTo = (count: number) => Array.from({ length: count }, (_, id) => id)

/** Leaves the distribution account with about so much XLM that it can spend. */
const drainTo = (stage: TestNetwork, xlm: number) =>
  Effect.gen(function* () {
    const view = yield* readTreasury([])
    const spare = Number(view.treasury?.nativeAvailableStroops ?? 0n) / 1e7 - xlm
    const amount = spare.toFixed(7)
    stage.submit(
      distribution,
      Operation.payment({ destination: issuer.publicKey(), asset: Asset.native(), amount }),
    )
    yield* stage.close
  })

describe("the number of channels", () => {
  test("two and a half for each full transaction of a ledger, six at least, 198 at most", () => {
    expect(channelsFor(1_000)).toBe(25)
    expect(channelsFor(200)).toBe(6)
    expect(channelsFor(100)).toBe(6)
    expect(channelsFor(300)).toBe(8)
    expect(channelsFor(5_000)).toBe(125)
    expect(channelsFor(100_000)).toBe(198)
  })

  emptyStage(
    "is read from the network where the settings leave it open",
    () => Effect.map(wantedChannels, (count) => expect(count).toBe(25)),
    { channels: undefined },
  )

  emptyStage("is the settings' otherwise", () => Effect.map(wantedChannels, (count) => expect(count).toBe(4)))
})

describe("creation", () => {
  emptyStage(
    "takes one transaction for nineteen, and each is stored",
    (stage) =>
      Effect.gen(function* () {
        yield* whileLedgersClose(stage, ensureChannels())
        expect(yield* known).toEqual(upTo(25))
        while ((yield* advanceUpkeep()) === "open") yield* stage.close
        const rows = yield* upkeepRows("create_channels")
        expect(rows.map(({ status }) => status)).toEqual(["applied", "applied"])
        expect(rows.map(({ subjects }) => subjects.length)).toEqual([19, 6])
        expect(yield* balanceOf(24)).toBe("5.0000000")
      }),
    { channels: undefined },
  )

  emptyStage(
    "goes through lost answers",
    (stage) =>
      Effect.gen(function* () {
        yield* whileLedgersClose(stage, ensureChannels())
        expect(yield* known).toEqual(upTo(4))
      }),
    { meddle: losingAnswers },
  )

  emptyStage(
    "by two workers at once makes each channel once",
    (stage) =>
      Effect.gen(function* () {
        yield* whileLedgersClose(stage, Effect.all([ensureChannels(), ensureChannels()], { concurrency: 2 }))
        expect(yield* known).toEqual(upTo(25))
        while ((yield* advanceUpkeep()) === "open") yield* stage.close
        const rows = yield* upkeepRows("create_channels")
        const made = rows.filter(({ status }) => status === "applied").flatMap(({ subjects }) => subjects)
        expect(made.toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(25).map(String))
        expect(rows.filter(({ status }) => status === "failed")).toEqual([])
      }),
    { channels: 25 },
  )

  emptyStage(
    "of 198 fits into the one call that reads them",
    (stage) =>
      Effect.gen(function* () {
        yield* whileLedgersClose(stage, ensureChannels())
        expect(yield* known).toEqual(upTo(198))
      }),
    { channels: 198 },
  )

  emptyStage("of fewer than there are leaves the others known and in use", (stage) =>
    Effect.gen(function* () {
      yield* whileLedgersClose(stage, ensureChannels())
      yield* Effect.provideService(ensureChannels(), IssuanceSettings, { ...settings, channels: 2 })
      expect(yield* known).toEqual(upTo(4))
      const channels = yield* Channels
      expect((yield* channels.lease("one", 15_000)).length).toBe(4)
    }),
  )
})

describe("with little XLM", () => {
  // Each channel takes 5 XLM, two base reserves of 0.5 XLM, and the highest fee of three operations.
  emptyStage("the worker begins with what it can pay for, and goes on when there is more", (stage) =>
    Effect.gen(function* () {
      yield* drainTo(stage, 14)
      yield* whileLedgersClose(stage, ensureChannels())
      expect(yield* known).toEqual([0, 1])
      yield* completeChannels()
      expect((yield* upkeepRows("create_channels")).length).toBe(1)
      const amount = "100"
      stage.submit(
        issuer,
        Operation.payment({ destination: distribution.publicKey(), asset: Asset.native(), amount }),
      )
      yield* stage.close
      while ((yield* advanceUpkeep()) === "open") yield* stage.close
      yield* completeChannels()
      yield* stage.close
      expect(yield* advanceUpkeep()).toBe("free")
      yield* completeChannels()
      expect(yield* known).toEqual(upTo(4))
    }),
  )

  emptyStage("not even for one, the worker does not begin", (stage) =>
    Effect.gen(function* () {
      yield* drainTo(stage, 5)
      expect(yield* Effect.flip(ensureChannels())).toMatchObject({
        _tag: "IssuanceRefused",
        code: "channels_not_created",
      })
      expect(yield* upkeepRows("create_channels")).toEqual([])
    }),
  )
})
