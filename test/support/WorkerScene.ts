import { Operation } from "@stellar/stellar-sdk"
import { Effect, Fiber, type Layer, Option } from "effect"
import { ensureChannels } from "../../src/issuance/ChannelCreation.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import type { Lease } from "../../src/issuance/Lease.ts"
import { SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import { step } from "../../src/programs/IssuanceWorker.ts"
import {
  laws,
  type Meddle,
  sceneLayer,
  setTheScene,
  type TestNetwork,
  tally,
  wallets,
} from "./IssuanceScene.ts"
import { effect } from "./it.ts"
import { asset, issuer, makeTestNetwork, type settings } from "./TestNetwork.ts"

export const LEASE_MS = 15_000
export const trusting = wallets.trusting.publicKey()
export const without = wallets.without.publicKey()

/** Money that leaves the treasury by hand, so that the laws do not take it for a reward. */
export const burn = (amount: string) => Operation.payment({ destination: issuer.publicKey(), asset, amount })

export const rewards = (count: number, wallet = trusting) =>
  Array.from({ length: count }, (_, index) => ({ wallet, amountStroops: BigInt(index + 1) }))

/** Creates the channels, closing ledgers beside it: it waits for one. */
export const openChannels = (stage: TestNetwork) =>
  Effect.gen(function* () {
    const creation = yield* Effect.forkChild(ensureChannels())
    while (creation.pollUnsafe() === undefined) {
      yield* Effect.promise(() => Bun.sleep(5))
      yield* stage.close
    }
    yield* Fiber.join(creation)
  })

/** A claim of a full batch, as the ledger stands now and with more than enough in the treasury. */
export const termsOf = (stage: TestNetwork, { address }: Lease) => ({
  sequence: stage.sequenceOf(address) + 1n,
  paymentsMax: 100,
  treasuryStroops: 100_000_0000000n,
  treasuryLedger: stage.network.latest().sequence,
  inFlightMax: 1_000,
})

/** A worker's step with the leases that it holds now. */
export const stepAs = (owner: string) =>
  Effect.gen(function* () {
    const channels = yield* Channels
    yield* step(yield* channels.lease(owner, LEASE_MS))
  })

/** Steps and ledgers in turn, until nothing waits any more. */
export const settle = (stage: TestNetwork, owner = "one", ledgersMax = 40) =>
  Effect.gen(function* () {
    for (let ledger = 0; ledger < ledgersMax; ledger++) {
      yield* stepAs(owner)
      const counts = yield* tally
      if (counts.pending === undefined && counts.submitted === undefined) return
      yield* stage.close
    }
  })

export type Services = Layer.Success<ReturnType<typeof sceneLayer>>

export const scene = (
  name: string,
  body: (stage: TestNetwork) => Effect.Effect<unknown, unknown, Services>,
  meddle?: Meddle,
  changed?: Partial<typeof settings>,
) =>
  effect(name, () => {
    const stage = makeTestNetwork()
    return Effect.gen(function* () {
      yield* setTheScene(stage)
      yield* openChannels(stage)
      yield* body(stage)
      yield* laws(stage)
    }).pipe(Effect.provide(sceneLayer(stage, meddle, changed), { local: true }))
  })

/** Loses the answer of every sending, though the network got it. */
export const losingAnswers: Meddle = (rpc) => ({
  ...rpc,
  sendTransaction: (envelopeXdr) =>
    Effect.andThen(
      rpc.sendTransaction(envelopeXdr),
      new SorobanRpcError({ method: "sendTransaction", reason: "timeout", message: "lost" }),
    ),
})

/** Says PENDING and delivers nothing while `isDown`. */
export const makeBlackHole = () => {
  const hole = { isDown: false, swallowed: [] as string[] }
  const meddle: Meddle = (rpc) => ({
    ...rpc,
    sendTransaction: (envelopeXdr) => {
      if (!hole.isDown) return rpc.sendTransaction(envelopeXdr)
      hole.swallowed.push(envelopeXdr)
      return Effect.succeed({
        status: "PENDING" as const,
        hash: "",
        latestLedger: 0,
        errorResultXdr: Option.none(),
      })
    },
  })
  return { hole, meddle }
}
