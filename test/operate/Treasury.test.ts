/** What an operator is told of treasury and channels, worked out by hand from what the stage holds. */
import { expect } from "bun:test"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { listChannels, quarantineChannel, releaseChannel } from "../../src/operate/ChannelStatus.ts"
import { treasuryStatus } from "../../src/operate/Treasury.ts"
import { accept, tally } from "../support/IssuanceScene.ts"
import { distribution, issuer } from "../support/TestNetwork.ts"
import { makeBlackHole, rewards, settle, stepAs, without } from "../support/WorkerScene.ts"
import { recoverScene } from "./RecoverScene.ts"

recoverScene("treasury: what is there, what is promised, how long the rest lasts", (stage) =>
  Effect.gen(function* () {
    const fresh = yield* treasuryStatus()
    expect(fresh).toMatchObject({
      distributionAddress: distribution.publicKey(),
      asset: `NOVA:${issuer.publicKey()}`,
      balanceStroops: 100_000_0000000n,
      freeStroops: 100_000_0000000n,
      paidStroops: 0n,
      daysLeft: undefined,
    })
    // 1 + 2 + 3 + 4 stroops paid within an hour: a day's pace is what was paid, for less than a day is taken as one.
    yield* accept(rewards(4))
    yield* settle(stage)
    yield* accept([{ wallet: without, amountStroops: 50_000_0000000n }])
    const paid = yield* treasuryStatus()
    expect(paid).toMatchObject({
      balanceStroops: 99_999_9999990n,
      pendingStroops: 50_000_0000000n,
      submittedStroops: 0n,
      freeStroops: 49_999_9999990n,
      paidStroops: 10n,
      paidPerDayStroops: 10n,
      // 499,999,999,990 free, 10 a day.
      daysLeft: 49_999_999_999,
    })
    // Two days later it is 5 a day, and in nine days nothing of the last week.
    yield* TestClock.adjust("2 days")
    expect((yield* treasuryStatus()).paidPerDayStroops).toBe(5n)
    yield* TestClock.adjust("7 days")
    expect(yield* treasuryStatus()).toMatchObject({ paidStroops: 0n, daysLeft: undefined })
  }),
)

const { hole, meddle } = makeBlackHole()
recoverScene(
  "channels: what is bound, for how long, and by whom; out of use and into use again",
  (stage) =>
    Effect.gen(function* () {
      yield* accept(rewards(3))
      hole.isDown = true
      yield* stepAs("worker-seven")
      yield* TestClock.adjust("10 seconds")
      const views = yield* listChannels()
      expect(views.map(({ channelId, status }) => [channelId, status])).toEqual([
        [0, "open"],
        [1, "open"],
        [2, "open"],
        [3, "open"],
      ])
      const busy = views.filter(({ bound }) => bound > 0)
      expect(busy).toMatchObject([{ bound: 3, boundForMs: 10_000, leaseOwner: "worker-seven" }])
      const id = busy[0]?.channelId ?? -1
      yield* quarantineChannel(id, "looking at it")
      expect((yield* listChannels())[id]).toMatchObject({
        status: "quarantined",
        reason: "looking at it",
        bound: 3,
      })
      expect(yield* Effect.flip(quarantineChannel(id, "again"))).toMatchObject({ code: "channel_already_so" })
      expect(yield* releaseChannel(id)).toMatchObject({
        before: "quarantined",
        reasonBefore: "looking at it",
      })
      expect(yield* Effect.flip(releaseChannel(id))).toMatchObject({ code: "channel_already_so" })
      expect(yield* Effect.flip(releaseChannel(77))).toMatchObject({ code: "channel_not_found" })
      hole.isDown = false
      yield* settle(stage, "worker-seven")
      expect(yield* tally).toEqual({ confirmed: 3 })
    }),
  meddle,
)
