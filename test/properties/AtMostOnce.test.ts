/**
 * Any interleaving of accepts, workers, crashes before and after every call, sleeping workers, lost answers, lost and
 * late envelopes ends with each reward paid once or failed for its own reason.
 *
 * First the plan runs, with its faults; then they stop, and everything must come to its end within a few ledgers.
 * A failing plan is printed by fast-check with its seed.
 */
import { expect, test } from "bun:test"
import { Context, Effect, Layer, Logger, Option } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { Batches } from "../../src/issuance/Batches.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { Signer } from "../../src/ports/Signer.ts"
import { SorobanRpc, SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import { step } from "../../src/programs/IssuanceWorker.ts"
import {
  accept,
  laws,
  sceneLayer,
  setTheScene,
  type TestNetwork,
  tally,
  wallets,
} from "../support/IssuanceScene.ts"
import { makeTestNetwork } from "../support/TestNetwork.ts"
import { LEASE_MS, openChannels } from "../support/WorkerScene.ts"

type Fault = "none" | "answer lost" | "never delivered" | "delivered late"

type Move =
  | { readonly _tag: "Accept"; readonly good: number; readonly bad: number }
  /** `crashAt`: dies at that call of a port or of the database, before it or after it. */
  | { readonly _tag: "Step"; readonly worker: number; readonly crashAt: number; readonly after: boolean }
  /** A worker that leased long ago wakes up and works on with those leases. */
  | { readonly _tag: "Zombie"; readonly worker: number }
  | { readonly _tag: "Close" }
  | { readonly _tag: "Sleep" }
  | { readonly _tag: "Weather"; readonly fault: Fault }
  | { readonly _tag: "DeliverLate" }

const never = 1_000
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant("Accept" as const),
      good: fc.integer({ min: 0, max: 30 }),
      bad: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant("Step" as const),
      worker: fc.integer({ min: 0, max: 2 }),
      crashAt: fc.oneof(
        { weight: 2, arbitrary: fc.constant(never) },
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 25 }) },
      ),
      after: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ _tag: fc.constant("Zombie" as const), worker: fc.integer({ min: 0, max: 2 }) }),
  },
  { weight: 6, arbitrary: fc.constant({ _tag: "Close" as const }) },
  { weight: 1, arbitrary: fc.constant({ _tag: "Sleep" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant("Weather" as const),
      fault: fc.constantFrom<Array<Fault>>("none", "answer lost", "never delivered", "delivered late"),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ _tag: "DeliverLate" as const }) },
)

/** The faults of a run, and the switch that turns them off. */
const makeFaults = () => {
  const faults = { weather: "none" as Fault, late: [] as string[], calls: 0, crashAt: never, after: false }

  const lost = new SorobanRpcError({ method: "sendTransaction", reason: "timeout", message: "lost" })
  const send =
    (rpc: SorobanRpc["Service"]): SorobanRpc["Service"]["sendTransaction"] =>
    (envelopeXdr) => {
      if (faults.weather === "none") return rpc.sendTransaction(envelopeXdr)
      if (faults.weather === "answer lost") return Effect.andThen(rpc.sendTransaction(envelopeXdr), lost)
      if (faults.weather === "delivered late") faults.late.push(envelopeXdr)
      return Effect.succeed({
        status: "PENDING" as const,
        hash: "",
        latestLedger: 0,
        errorResultXdr: Option.none(),
      })
    }

  /** Wraps every call of a service so that the crash can strike before it or after it. */
  const crashable = <S extends object>(service: S): S =>
    Object.fromEntries(
      Object.entries(service).map(([name, member]) => {
        if (Effect.isEffect(member)) return [name, strike(member as Effect.Effect<unknown>)]
        if (typeof member !== "function") return [name, member]
        return [name, (...args: ReadonlyArray<unknown>) => strike(member(...args))]
      }),
    ) as S

  const strike = <A, E, R>(call: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      faults.calls++
      if (faults.calls !== faults.crashAt) return call
      const crash = Effect.die(new Error("crash"))
      return faults.after ? Effect.andThen(call, crash) : crash
    })

  return { faults, send, crashable }
}

/** The scene's services, each of them crashable. */
const crashableLayer = (stage: TestNetwork, { crashable, send }: ReturnType<typeof makeFaults>) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const context = yield* Effect.context<Batches | Signer | SorobanRpc>()
      return Context.make(Batches, crashable(Context.get(context, Batches))).pipe(
        Context.add(Signer, crashable(Context.get(context, Signer))),
        Context.add(SorobanRpc, crashable(Context.get(context, SorobanRpc))),
      )
    }),
  ).pipe(Layer.provideMerge(sceneLayer(stage, (rpc) => ({ ...rpc, sendTransaction: send(rpc) }))))

/** The faults are meant: what the worker says of them would bury the test's own words. */
const quiet = Logger.layer([])

const run = (moves: ReadonlyArray<Move>) => {
  const stage = makeTestNetwork()
  const chaos = makeFaults()
  const { faults } = chaos
  const held = new Map<number, Effect.Success<ReturnType<Channels["Service"]["lease"]>>>()
  const deliverLate = () => {
    for (const envelope of faults.late.splice(0)) stage.network.submit(envelope)
  }

  const takeStep = Effect.fnUntraced(function* (worker: number) {
    const channels = yield* Channels
    const leases = yield* channels.lease(`worker ${worker}`, LEASE_MS)
    held.set(worker, leases)
    yield* step(leases)
  })

  const play = Effect.fnUntraced(function* (one: Move) {
    switch (one._tag) {
      case "Accept": {
        const good = Array.from({ length: one.good }, (_, index) => ({
          wallet: (index % 2 === 0 ? wallets.trusting : wallets.other).publicKey(),
          amountStroops: BigInt(index + 1),
        }))
        const bad = Array.from({ length: one.bad }, () => ({
          wallet: wallets.without.publicKey(),
          amountStroops: 3n,
        }))
        return yield* accept([...good, ...bad])
      }
      case "Step":
        Object.assign(faults, { calls: 0, crashAt: one.crashAt, after: one.after })
        return yield* takeStep(one.worker)
      case "Zombie":
        faults.crashAt = never
        return yield* step(held.get(one.worker) ?? [])
      case "Close":
        return yield* stage.close
      case "Sleep":
        return yield* TestClock.adjust(LEASE_MS + 1)
      case "Weather":
        faults.weather = one.fault
        return
      case "DeliverLate":
        return deliverLate()
    }
  })

  const program = Effect.gen(function* () {
    yield* setTheScene(stage)
    yield* openChannels(stage)
    for (const one of moves) {
      // A crash ends the step as it would end the process: the next move starts from the database.
      yield* Effect.exit(play(one))
      yield* laws(stage)
    }
    Object.assign(faults, { weather: "none", crashAt: never })
    deliverLate()
    yield* TestClock.adjust(LEASE_MS + 1)
    for (let ledger = 0; ledger < 15; ledger++) {
      yield* takeStep(0)
      yield* stage.close
    }
    const counts = yield* tally
    expect(
      Object.keys(counts).filter((name) => name !== "confirmed" && name !== "failed no_trustline"),
    ).toEqual([])
    yield* laws(stage)
    // The laws leave out what is signed and undecided; in the end nothing may be.
    const sql = yield* SqlClient.SqlClient
    expect(yield* sql`SELECT hash FROM stellar_envelopes WHERE status = 'signed'`).toEqual([])
  })
  return program.pipe(
    Effect.provide(crashableLayer(stage, chaos), { local: true }),
    Effect.provide([TestClock.layer(), quiet]),
    Effect.scoped,
    Effect.runPromise,
  )
}

test(
  "whatever happens, each reward is paid once or fails for its own reason",
  () =>
    fc.assert(fc.asyncProperty(fc.array(move, { minLength: 5, maxLength: 40 }), run), {
      numRuns: 50,
    }),
  180_000,
)
