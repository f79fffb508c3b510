/** Nodes that are behind the ledger, and what recovery may conclude from them. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { ensureChannels } from "../../src/issuance/ChannelCreation.ts"
import type { SorobanRpc } from "../../src/ports/SorobanRpc.ts"
import { accept, type Meddle, tally } from "../support/IssuanceScene.ts"
import { rewards, settle, stepAs } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import {
  booksBalance,
  type MeddleHorizon,
  paidTwice,
  recoverOn,
  recoverScene,
  stopWorkers,
} from "./RecoverScene.ts"

type Latest = Effect.Success<SorobanRpc["Service"]["getLatestLedger"]>
type Entries = Effect.Success<ReturnType<SorobanRpc["Service"]["getLedgerEntries"]>>

/** A second node, which answers what it knew when it was stopped; it is asked for the pool's accounts only. */
const makeStoppedNode = () => {
  const node = { answersLeft: 0, isRecording: false, known: undefined as Entries | undefined }
  const meddle: Meddle = (rpc) => ({
    ...rpc,
    getLedgerEntries: (keys) =>
      Effect.suspend(() => {
        if (keys.length === 199 && node.known !== undefined && node.answersLeft > 0) {
          node.answersLeft -= 1
          return Effect.succeed(node.known)
        }
        return rpc.getLedgerEntries(keys)
      }),
  })
  return { node, meddle }
}

describe("a node that is behind", () => {
  const lagging = makeStoppedNode()
  const learning = {
    rpc: undefined as SorobanRpc["Service"] | undefined,
    keys: [] as ReadonlyArray<string>,
  }
  const remember: Meddle = (rpc) => {
    learning.rpc = rpc
    const meddled = lagging.meddle(rpc)
    return {
      ...meddled,
      getLedgerEntries: (keys) => {
        if (keys.length === 199) learning.keys = keys
        return meddled.getLedgerEntries(keys)
      },
    }
  }

  recoverScene(
    "is asked again until it has seen the ledger that was waited for; one that does not come is not believed",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(3))
        yield* stopWorkers
        // Asks for the pool's accounts, and finds nothing to do.
        yield* recoverOn(stage)
        const restore = yield* takeDump
        lagging.node.known = yield* learning.rpc?.getLedgerEntries(learning.keys) ?? Effect.die("not asked")
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 3 })
        yield* restore
        yield* stopWorkers

        lagging.node.answersLeft = 1_000
        expect(yield* Effect.flip(recoverOn(stage))).toMatchObject({
          code: "node_behind",
          message: expect.stringContaining("point SOROBAN_RPC_URL at a node that keeps up"),
        })
        expect(yield* tally).toEqual({ pending: 3 })
        lagging.node.answersLeft = 0
        expect(yield* Effect.flip(ensureChannels())).toMatchObject({ code: "database_older_than_ledger" })

        lagging.node.answersLeft = 5
        expect((yield* recoverOn(stage)).report.confirmed).toBe(3)
        expect(lagging.node.answersLeft).toBe(0)
        expect(yield* paidTwice(stage)).toBe(3)
        yield* booksBalance
      }),
    remember,
  )

  const BEHIND = 8
  const old = {
    rpc: undefined as SorobanRpc["Service"] | undefined,
    answer: undefined as Latest | undefined,
    answersLeft: 0,
  }
  const behindAtFirst: Meddle = (rpc) => {
    old.rpc = rpc
    return {
      ...rpc,
      getLatestLedger: Effect.suspend(() => {
        if (old.answer === undefined || old.answersLeft === 0) return rpc.getLatestLedger
        old.answersLeft -= 1
        return Effect.succeed(old.answer)
      }),
    }
  }
  const horizonBehind: MeddleHorizon = (horizon) => ({
    ...horizon,
    root: Effect.map(horizon.root, (root) => ({ ...root, latestLedger: root.latestLedger - BEHIND })),
  })
  recoverScene(
    "is no reason to wait less than an envelope may live that another node's ledger was signed by",
    (stage) =>
      Effect.gen(function* () {
        old.answer = yield* old.rpc?.getLatestLedger ?? Effect.die("no node")
        for (let ledger = 0; ledger < BEHIND; ledger++) yield* stage.close
        const signedAt = stage.network.latest().sequence
        yield* stopWorkers
        // Two to know the network by, and the one that the wait begins with.
        old.answersLeft = 3
        const { lines } = yield* recoverOn(stage)
        const waitedFor = Number(/waiting for ledger (\d+)/.exec(lines[0] ?? "")?.[1])
        // An envelope of four ledgers (the test's setting) that was signed by the newest one applies below signedAt + 5.
        expect(old.answersLeft).toBe(0)
        expect(waitedFor).toBeGreaterThanOrEqual(signedAt + 5)
      }),
    behindAtFirst,
    horizonBehind,
  )
})

recoverScene("a database that is another one than before issues at once when it is recovered", (stage) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* accept(rewards(2))
    yield* sql`UPDATE issuance_control SET database_identity = 'the one before', claims_after_ledger = 1000000`
    yield* stopWorkers
    yield* recoverOn(stage)
    yield* stepAs("one")
    expect(yield* tally).toEqual({ submitted: 2 })
  }),
)
