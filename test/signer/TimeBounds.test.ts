/** Clocks of two machines differ: one signs a fee bump over what the other has signed. */
import { expect } from "bun:test"
import { Effect } from "effect"
import { channelKey, Signer } from "../../src/ports/Signer.ts"
import { effect } from "../support/it.ts"
import { BATCH_KEYS, bumpOf, localLayer, pay, transactionOf } from "./Signers.ts"

effect("a bump over the transaction of a machine whose clock is six minutes ahead is signed", () =>
  Effect.gen(function* () {
    const signer = yield* Signer
    const inner = yield* transactionOf(signer, [pay()], { secondsAhead: 240 + 360 })
    const signed = yield* signer.sign(inner.toXdr(), BATCH_KEYS)
    const bump = bumpOf(yield* signer.channelAddress(0), 1_000, signed.envelopeXdr)
    expect((yield* signer.sign(bump.toXdr(), [channelKey(0)])).hash).toMatch(/^[0-9a-f]{64}$/)
  }).pipe(Effect.provide(localLayer())),
)
