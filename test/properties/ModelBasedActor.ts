/**
 * A program of the model-based test: the real services, on a database connection and on ports at which it can be
 * made to fall: before or after its n-th statement or call. Either the program is gone from that moment, as by kill -9
 * (nothing of it runs any more, and the server rolls its transaction back), or it lives on and sees an error where
 * the statement may have been carried out, a COMMIT above all.
 */
import { PgClient } from "@effect/sql-pg"
import { Cause, type Context, Deferred, Effect, Exit, Layer, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, SqlError } from "effect/sql"
import * as SorobanRpcLocalnet from "../../layers/soroban-rpc/SorobanRpcLocalnet.ts"
import * as SubmissionRpc from "../../layers/submission/SubmissionRpc.ts"
import * as Wiring from "../../layers/Test.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import { Signer, SignerError } from "../../src/ports/Signer.ts"
import { SorobanRpc, SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import type { Meddle, TestNetwork } from "../support/IssuanceScene.ts"
import { settings, signer } from "../support/TestNetwork.ts"

/** Where an actor falls: at the n-th statement or call from now on, counted from 1. */
export interface Fall {
  readonly at: number
  readonly when: "before" | "after"
  readonly how: "crash" | "error"
}

interface Fate {
  readonly falls: Record<string, number>
  fall: Fall | undefined
  calls: number
  isDead: boolean
  readonly died: Deferred.Deferred<void>
}

type Connection = Effect.Success<SqlClient.SqlClient["reserve"]>

const lost = new SqlError.SqlError({
  reason: new SqlError.ConnectionError({ cause: new Error("connection lost"), message: "by the test" }),
})

/** What a program sees that is gone: nothing. Its fibers end, and nothing of theirs catches it. */
const gone = Effect.failCause(Cause.interrupt())

/** Runs a statement or a call, unless the actor falls at it. `settle` is what the other side does of its own. */
const makeStrike =
  (fate: Fate) =>
  <A, E, R, E2>(call: Effect.Effect<A, E, R>, error: E2, settle: Effect.Effect<unknown> = Effect.void) =>
    Effect.suspend((): Effect.Effect<A, E | E2, R> => {
      if (fate.isDead) return Effect.andThen(settle, gone)
      fate.calls++
      const { fall } = fate
      if (fall === undefined || fall.at !== fate.calls) return call
      const name = `${fall.how} ${fall.when}`
      const blow = Effect.suspend(() => {
        fate.falls[name] = (fate.falls[name] ?? 0) + 1
        if (fall.how === "error") return Effect.fail(error)
        fate.isDead = true
        Deferred.doneUnsafe(fate.died, Effect.void)
        return gone
      })
      if (fall.when === "before") return Effect.andThen(settle, blow)
      return Effect.andThen(Effect.exit(call), Effect.andThen(settle, blow))
    })

type Strike = ReturnType<typeof makeStrike>

/** A connection that an error breaks for good: what comes after it fails, and the server rolls back. */
const breakable = (real: Connection, strike: Strike): Connection => {
  let isBroken = false
  const rollback = Effect.ignore(real.executeUnprepared("ROLLBACK", [], undefined))
  const guard = <A>(sql: string, call: Effect.Effect<A, SqlError.SqlError>) =>
    Effect.suspend(() => {
      if (sql === "ROLLBACK") return call
      if (isBroken) return Effect.fail(lost)
      // After a COMMIT there is nothing to roll back, and the warning about it harms nobody.
      return Effect.tapCause(strike(call, lost, rollback), () =>
        Effect.sync(() => {
          isBroken = true
        }),
      )
    })
  return {
    ...real,
    execute: (sql, params, transform) => guard(sql, real.execute(sql, params, transform)),
    executeRaw: (sql, params) => guard(sql, real.executeRaw(sql, params)),
    executeValues: (sql, params) => guard(sql, real.executeValues(sql, params)),
    executeUnprepared: (sql, params, transform) => guard(sql, real.executeUnprepared(sql, params, transform)),
  }
}

const databaseOf = (real: SqlClient.SqlClient, strike: Strike) => {
  const acquirer = Effect.map(real.reserve, (connection) => breakable(connection, strike))
  return Layer.effect(
    SqlClient.SqlClient,
    SqlClient.make({
      acquirer,
      transactionAcquirer: acquirer,
      compiler: PgClient.makeCompiler(),
      driver: "postgresql",
      spanAttributes: [],
    }),
  ).pipe(Layer.provide(Reactivity.layer))
}

const portsOf = (stage: TestNetwork, strike: Strike, meddle: Meddle) => {
  const timeout = new SorobanRpcError({ method: "any", reason: "timeout", message: "by the test" })
  const unavailable = new SignerError({ reason: "unavailable", message: "by the test" })
  const wrapRpc = (plain: SorobanRpc["Service"]): SorobanRpc["Service"] => {
    const rpc = meddle(plain)
    return {
      ...rpc,
      getLedgerEntries: (keys) => strike(rpc.getLedgerEntries(keys), timeout),
      getTransaction: (hash) => strike(rpc.getTransaction(hash), timeout),
      sendTransaction: (envelopeXdr) => strike(rpc.sendTransaction(envelopeXdr), timeout),
      getFeeStats: strike(rpc.getFeeStats, timeout),
    }
  }
  const rpc = Layer.effect(SorobanRpc, Effect.map(SorobanRpc, wrapRpc)).pipe(
    Layer.provide(SorobanRpcLocalnet.layer(stage.network)),
  )
  const wrappedSigner = Layer.effect(
    Signer,
    Effect.map(Signer, (real) => ({
      ...real,
      sign: (xdr: string, keys: Parameters<typeof real.sign>[1]) => strike(real.sign(xdr, keys), unavailable),
    })),
  ).pipe(Layer.provide(signer))
  return Layer.mergeAll(wrappedSigner, Layer.provideMerge(Layer.fresh(SubmissionRpc.layer), rpc))
}

const servicesOf = (stage: TestNetwork, real: SqlClient.SqlClient, strike: Strike, meddle: Meddle) =>
  Layer.provideMerge(Issuances.layer, Campaigns.layer).pipe(
    Layer.provideMerge(
      Wiring.issuance({ ...settings, workerName: "actor", channels: 3, envelopeLedgers: 6 }),
    ),
    Layer.provideMerge(Layer.mergeAll(databaseOf(real, strike), portsOf(stage, strike, meddle))),
  )

export type ActorServices = Layer.Success<ReturnType<typeof servicesOf>>

interface Life {
  readonly fate: Fate
  readonly scope: Scope.Closeable
  readonly context: Context.Context<ActorServices>
}

export interface Actor {
  /** Does this, and falls where it is told to. After a crash the next deed finds the program started anew. */
  readonly act: <A, E>(
    deed: Effect.Effect<A, E, ActorServices>,
    fall?: Fall,
  ) => Effect.Effect<Exit.Exit<A, E>>
  /** How often it has fallen, by how and when. */
  readonly falls: () => Readonly<Record<string, number>>
}

export const makeActor = (stage: TestNetwork, real: SqlClient.SqlClient, meddle: Meddle): Actor => {
  let life: Life | undefined
  const falls: Record<string, number> = {}

  const start = Effect.gen(function* () {
    const fate: Fate = {
      falls,
      fall: undefined,
      calls: 0,
      isDead: false,
      died: yield* Deferred.make<void>(),
    }
    const scope = yield* Scope.make()
    const layer = servicesOf(stage, real, makeStrike(fate), meddle)
    const context = yield* Layer.buildWithMemoMap(layer, yield* Layer.makeMemoMap, scope)
    return { fate, scope, context } satisfies Life
  }).pipe(Effect.orDie)

  return {
    falls: () => falls,
    act: (deed, fall) =>
      Effect.gen(function* () {
        const living = life ?? (yield* start)
        life = living
        // Of what the API does at the same time only one thing has a fall of its own; it strikes any of them.
        if (fall !== undefined) Object.assign(living.fate, { fall, calls: 0 })
        const exit = yield* Effect.exit(
          Effect.raceFirst(
            Effect.provideContext(deed, living.context),
            Effect.andThen(Deferred.await(living.fate.died), Effect.interrupt),
          ),
        )
        if (fall !== undefined) living.fate.fall = undefined
        if (living.fate.isDead && life === living) {
          life = undefined
          yield* Scope.close(living.scope, Exit.void)
        }
        return exit
      }),
  }
}
