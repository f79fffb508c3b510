/**
 * A channel whose account was merged away: its batch has no sequence to be judged by, so the whole history must show that
 * nothing of it was applied. The laws say after each that nobody was paid twice.
 */
import { describe, expect } from "bun:test"
import { type Keypair, Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Batches } from "../../src/issuance/Batches.ts"
import { ensureChannels } from "../../src/issuance/ChannelCreation.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { settleLost } from "../../src/issuance/SettleVerdict.ts"
import { accept, tally, wallets } from "../support/IssuanceScene.ts"
import { LEASE_MS, rewards, stepAs } from "../support/WorkerScene.ts"
import {
  actAs,
  channelOf,
  channelStates,
  control,
  drain,
  ENVELOPE_LEDGERS,
  envelopes,
  keyOfChannel,
  meanwhile,
  type TableStage,
  tableScene,
} from "./TableScene.ts"
import { whileLedgersClose } from "./UpkeepHarness.ts"

const merge = (stage: TableStage) => (channel: Keypair) =>
  actAs(
    stage,
    wallets.other,
    [channel],
    Operation.accountMerge({ source: channel.publicKey(), destination: wallets.other.publicKey() }),
  )

/** The only batch in flight, judged as lost by what the ledger is now. */
const judgeNow = (stage: TableStage) =>
  Effect.gen(function* () {
    const channels = yield* Channels
    const batches = yield* Batches
    const leases = yield* channels.lease("one", LEASE_MS)
    const inFlight = yield* batches.inFlight(leases.map(({ channelId }) => channelId))
    const lease = leases.find(({ channelId }) => inFlight.has(channelId))
    const batch = lease && inFlight.get(lease.channelId)
    if (lease === undefined || batch === undefined) throw new Error("no batch in flight")
    return yield* settleLost(lease, stage.network.latest().sequence, batch)
  })

const closeTimes = (stage: TableStage, times: number) =>
  Effect.forEach(Array.from({ length: times }), () => stage.close, { discard: true })

const mergedBeforeSending = Effect.fnUntraced(function* (stage: TableStage) {
  stage.wire.handlings.push(meanwhile(stage, merge(stage)))
  yield* accept(rewards(10))
  yield* stepAs("one")
  expect(yield* channelStates).toEqual(["open", "quarantined"])
})

describe("a batch whose channel is gone", () => {
  tableScene(
    "is released once every ledger that could hold it is known without it, and not before",
    (stage) =>
      Effect.gen(function* () {
        yield* mergedBeforeSending(stage)
        // Signed at n and one ledger closed since: n + 12 is the last that may hold it. Three more for the node's "not found".
        yield* closeTimes(stage, ENVELOPE_LEDGERS - 2)
        expect(yield* judgeNow(stage)).toBe("waiting")
        yield* closeTimes(stage, 3)
        expect(yield* judgeNow(stage)).toBe("waiting")
        expect(yield* tally).toEqual({ submitted: 10 })
        yield* stage.close
        expect(yield* judgeNow(stage)).toBe("free")
        expect(yield* tally).toEqual({ pending: 10 })
        yield* drain(stage)
        expect(yield* tally).toEqual({ confirmed: 10 })
        expect((yield* envelopes).map(({ status }) => status)).toEqual(["expired", "applied"])
        expect(yield* channelStates).toEqual(["open", "quarantined"])
        expect(yield* control).toBeNull()
      }),
  )

  tableScene("is confirmed where it was applied before the account went", (stage) =>
    Effect.gen(function* () {
      yield* accept(rewards(10))
      yield* stepAs("one")
      yield* stage.close
      merge(stage)(channelOf(stage.wire.sent[0] ?? ""))
      yield* closeTimes(stage, ENVELOPE_LEDGERS)
      expect(yield* tally).toEqual({ submitted: 10 })
      expect(yield* judgeNow(stage)).toBe("free")
      expect(yield* tally).toEqual({ confirmed: 10 })
      // Nothing binds to it again, and a start knows why it is not there.
      expect(yield* channelStates).toEqual(["open", "quarantined"])
    }),
  )

  tableScene("stays as it is while what happened there is not understood", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* mergedBeforeSending(stage)
      yield* sql`UPDATE channel_accounts SET status = 'halted' WHERE status = 'quarantined'`
      yield* closeTimes(stage, ENVELOPE_LEDGERS + 4)
      expect(yield* judgeNow(stage)).toBe("waiting")
      expect(yield* tally).toEqual({ submitted: 10 })
    }),
  )
})

describe("a start without a channel that was there", () => {
  tableScene("goes on where it is out of use, and makes no other in its place", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* mergedBeforeSending(stage)
      const before = yield* sql`SELECT hash FROM upkeep_transactions`
      yield* whileLedgersClose(stage, ensureChannels())
      expect(yield* sql`SELECT hash FROM upkeep_transactions`).toEqual(before)
      expect(yield* channelStates).toEqual(["open", "quarantined"])
    }),
  )

  tableScene("is refused where it should be in use: the network was reset", (stage) =>
    Effect.gen(function* () {
      merge(stage)(keyOfChannel(0))
      yield* stage.close
      expect(yield* whileLedgersClose(stage, Effect.flip(ensureChannels()))).toMatchObject({
        _tag: "IssuanceRefused",
        code: "network_was_reset",
      })
    }),
  )
})

describe("a channel's status", () => {
  tableScene("changes only from what the caller takes it for", () =>
    Effect.gen(function* () {
      const channels = yield* Channels
      const [lease] = yield* channels.lease("one", LEASE_MS)
      if (lease === undefined) throw new Error("no channel")
      expect(yield* channels.setStatus(lease, "halted", "by the test")).toBe(true)
      expect(yield* channels.setStatus(lease, "quarantined", "meanwhile")).toBe(true)
      expect(yield* channels.setStatus(lease, "open", null, { from: "halted" })).toBe(false)
      expect(yield* channelStates).toEqual(["open", "quarantined"])
      expect(yield* channels.setStatus(lease, "open", null, { from: "quarantined" })).toBe(true)
      expect(yield* channelStates).toEqual(["open", "open"])
    }),
  )
})
