/**
 * Two workers against a network that misbehaves by a seed: lost requests and answers, 504 and 429, accepted and then
 * dropped or late, banned hashes, nodes that lag by ledgers or find nothing, ledgers that stall, others' fees. While
 * the plan lasts the laws hold after every ledger; when it is over, everything comes to its end.
 */
import { expect, test } from "bun:test"
import { Effect, Logger } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { FAULT_PROFILES } from "../../layers/localnet/faults/FaultProfile.ts"
import { injectFaults } from "../../layers/localnet/faults/InjectFaults.ts"
import { planFaults } from "../../layers/localnet/faults/PlanFaults.ts"
import * as SorobanRpcLocalnet from "../../layers/soroban-rpc/SorobanRpcLocalnet.ts"
import { SorobanRpc } from "../../src/ports/SorobanRpc.ts"
import { accept, laws, sceneLayer, setTheScene, tally } from "../support/IssuanceScene.ts"
import { makeTestNetwork } from "../support/TestNetwork.ts"
import { LEASE_MS, openChannels, rewards, stepAs, without } from "../support/WorkerScene.ts"

const LEDGERS_OF_FAULTS = 60
/** An envelope may live four ledgers (the scene's setting), and a hash ban ten. */
const LEDGERS_TO_DRAIN = 40

/** The faults are meant: what the worker says of them would bury the test's own words. */
const quiet = Logger.layer([])

const run = (seed: string) => {
  const stage = makeTestNetwork()
  const port: { current: SorobanRpc["Service"] | undefined } = { current: undefined }

  /** From here on the port and the ledgers go through the plan; answers with the way back. */
  const beginFaults = Effect.gen(function* () {
    const plan = planFaults(seed, { ...FAULT_PROFILES.mixed, ledgers: LEDGERS_OF_FAULTS })
    const faulty = injectFaults(stage.network, plan)
    const real = port.current
    port.current = yield* SorobanRpc.pipe(
      Effect.provide(SorobanRpcLocalnet.layer(faulty.network, faulty.calls), { local: true }),
    )
    stage.closeThrough(faulty.network)
    return Effect.sync(() => {
      port.current = real
      stage.closeThrough(stage.network)
    })
  })

  const program = Effect.gen(function* () {
    yield* setTheScene(stage)
    yield* openChannels(stage)
    const endFaults = yield* beginFaults
    for (let ledger = 0; ledger < LEDGERS_OF_FAULTS; ledger++) {
      if (ledger % 4 === 0) yield* accept([...rewards(15), ...rewards(1, without)])
      // A step that fails is taken again: the worker's loop does no more than that.
      yield* Effect.exit(stepAs(ledger % 7 < 4 ? "one" : "two"))
      if (ledger % 13 === 12) yield* TestClock.adjust(LEASE_MS + 1)
      yield* stage.close
      yield* laws(stage)
    }
    yield* endFaults
    yield* TestClock.adjust(LEASE_MS + 1)
    for (let ledger = 0; ledger < LEDGERS_TO_DRAIN; ledger++) {
      yield* Effect.exit(stepAs("one"))
      yield* stage.close
    }
    expect(yield* tally).toEqual({ confirmed: 225, "failed no_trustline": 15 })
    yield* laws(stage)
    const sql = yield* SqlClient.SqlClient
    expect(yield* sql`SELECT hash FROM stellar_envelopes WHERE status = 'signed'`).toEqual([])
    expect(yield* sql`SELECT id FROM channel_accounts WHERE status = 'halted'`).toEqual([])
  })

  const meddle = (real: SorobanRpc["Service"]): SorobanRpc["Service"] => {
    port.current = real
    const through = <A>(use: (rpc: SorobanRpc["Service"]) => A) => use(port.current ?? real)
    return {
      getHealth: Effect.suspend(() => through((rpc) => rpc.getHealth)),
      getNetwork: Effect.suspend(() => through((rpc) => rpc.getNetwork)),
      getLatestLedger: Effect.suspend(() => through((rpc) => rpc.getLatestLedger)),
      getFeeStats: Effect.suspend(() => through((rpc) => rpc.getFeeStats)),
      getLedger: (sequence) => through((rpc) => rpc.getLedger(sequence)),
      getLedgerEntries: (keys) => through((rpc) => rpc.getLedgerEntries(keys)),
      sendTransaction: (envelopeXdr) => through((rpc) => rpc.sendTransaction(envelopeXdr)),
      getTransaction: (hash) => through((rpc) => rpc.getTransaction(hash)),
    }
  }
  return program.pipe(
    Effect.provide(sceneLayer(stage, meddle), { local: true }),
    Effect.provide([TestClock.layer(), quiet]),
    Effect.scoped,
    Effect.runPromise,
  )
}

test(
  "a misbehaving network delays rewards, and never doubles or loses one",
  () =>
    fc.assert(fc.asyncProperty(fc.integer({ min: 0 }).map(String), run), { numRuns: 12, endOnFailure: true }),
  300_000,
)
