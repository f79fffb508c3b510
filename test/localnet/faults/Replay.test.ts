/** A run under a plan is a function of the plan: two hundred ledgers, twice, to the byte. */
import { describe, expect } from "bun:test"
import { Effect, Layer, Option } from "effect"
import * as HorizonLocalnet from "../../../layers/horizon/HorizonLocalnet.ts"
import type { FaultPlan } from "../../../layers/localnet/faults/FaultPlan.ts"
import { FAULT_PROFILES } from "../../../layers/localnet/faults/FaultProfile.ts"
import type { Injection } from "../../../layers/localnet/faults/InjectFaults.ts"
import { planFaults } from "../../../layers/localnet/faults/PlanFaults.ts"
import * as SorobanRpcLocalnet from "../../../layers/soroban-rpc/SorobanRpcLocalnet.ts"
import { Horizon } from "../../../src/ports/Horizon.ts"
import { SorobanRpc } from "../../../src/ports/SorobanRpc.ts"
import { live } from "../../support/it.ts"
import { keypairOf } from "../../support/TestNetwork.ts"
import { alice, openFaulty, payBob, sequenceByRpc } from "./Scene.ts"

const LEDGERS = 200
const people = [alice, ...["carol", "dave", "erin"].map(keypairOf)]

const said = <A, E extends { readonly reason: string }, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.map((answer) =>
      JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? String(value) : value)),
    ),
    Effect.catch((error) => Effect.succeed(error.reason)),
  )

/** What a simple client sees that pays from four accounts and asks after everything it sent. */
const run = (plan: FaultPlan, ledgers = LEDGERS) => {
  const injected: Array<Injection> = []
  const { faulty, tick, truth } = openFaulty(plan, people, (one) => injected.push(one))
  const trace: Array<string> = []
  const sent: Array<string> = []
  const step = Effect.fnUntraced(function* (ledger: number) {
    const [rpc, horizon] = [yield* SorobanRpc, yield* Horizon]
    for (const keys of people) {
      const read = yield* Effect.option(sequenceByRpc(keys))
      if (Option.isNone(read)) continue
      const { envelopeXdr, hash } = payBob(keys, read.value.sequence + 1n, 100 + (ledger % 7))
      const answer =
        ledger % 2 === 0
          ? yield* said(rpc.sendTransaction(envelopeXdr))
          : yield* said(horizon.submitAsync(envelopeXdr))
      trace.push(`${ledger} ${read.value.latestLedger} send ${answer}`)
      sent.push(hash)
    }
    trace.push(`${ledger} account ${yield* said(horizon.account(alice.publicKey()))}`)
    for (const hash of sent.slice(-6)) trace.push(`${ledger} ${yield* said(rpc.getTransaction(hash))}`)
    trace.push(`${ledger} fees ${yield* said(rpc.getFeeStats)}`)
  })
  return Effect.gen(function* () {
    for (let ledger = 0; ledger < ledgers; ledger++) {
      yield* step(ledger)
      tick()
      trace.push(`closed ${truth.latest().hash}`)
    }
    return { trace: trace.join("\n"), kinds: new Set(injected.map(({ kind }) => kind)), injected }
  }).pipe(
    Effect.provide(
      Layer.merge(
        SorobanRpcLocalnet.layer(faulty.network, faulty.calls),
        HorizonLocalnet.layer(faulty.network, faulty.calls),
      ),
    ),
  )
}

describe("a run of 200 ledgers under the mixed profile", () => {
  live(
    "replays to the byte, and another seed gives another run",
    () =>
      Effect.gen(function* () {
        const plan = planFaults("replay", FAULT_PROFILES.mixed)
        const first = yield* run(plan)
        const second = yield* run(JSON.parse(JSON.stringify(plan)))
        expect(second.trace).toBe(first.trace)
        expect(second.injected).toEqual(first.injected)
        expect(first.kinds.size).toBeGreaterThanOrEqual(9)
        const other = yield* run(planFaults("another", FAULT_PROFILES.mixed), 30)
        expect(first.trace.startsWith(other.trace)).toBe(false)
      }),
    { timeout: 60_000 },
  )
})
