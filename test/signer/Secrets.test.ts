/** No secret of a signer appears in an error, a log line, a span or the layer's own value, whatever goes wrong. */
import { expect } from "bun:test"
import { inspect } from "node:util"
import { Cause, Clock, Effect, Exit, Fiber, Layer, Logger, Redacted, Tracer } from "effect"
import { TestClock } from "effect/testing"
import * as SignerLocal from "../../layers/signer/SignerLocal.ts"
import { noDailyCap } from "../../layers/signer/SigningDays.ts"
import { Signer } from "../../src/ports/Signer.ts"
import { effect } from "../support/it.ts"
import { distribution } from "../support/TestNetwork.ts"
import { KMS_CREDENTIALS, startKms } from "./KmsStandIn.ts"
import { REFUSED } from "./RefusedTransactions.ts"
import { BATCH_KEYS, kmsLayer, localLayer, pay, policy, SEED_HEX, transactionOf } from "./Signers.ts"

const SECRETS = [
  distribution.secret(),
  Buffer.from(distribution.rawSecretKey()).toString("hex"),
  SEED_HEX,
  KMS_CREDENTIALS.secretAccessKey,
  KMS_CREDENTIALS.sessionToken,
]

/** Everything that the body says, in whatever way. */
const heard = (body: Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const said: Array<unknown> = []
    const logger = Logger.make(({ cause, message, fiber }) => {
      said.push(message, Cause.pretty(cause), inspect(fiber.context, { depth: 4 }))
    })
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        said.push(span)
        return span
      },
    })
    const exit = yield* Effect.exit(body).pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.withTracer(tracer),
    )
    said.push(exit, Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
    return said
      .map((one) => `${inspect(one, { depth: 8, maxStringLength: 100_000 })} ${safeJson(one)}`)
      .join("\n")
  })

const safeJson = (value: unknown): string => {
  try {
    return JSON.stringify(value, (_, one) => (typeof one === "bigint" ? String(one) : one)) ?? ""
  } catch {
    return ""
  }
}

const expectClean = (text: string) => {
  expect(text.length).toBeGreaterThan(0)
  for (const secret of SECRETS) expect(text.includes(secret)).toBe(false)
}

effect("every refusal, of both layers", () =>
  Effect.gen(function* () {
    const { url } = yield* startKms(distribution)
    for (const layer of [localLayer(), kmsLayer(url)]) {
      const signer = yield* Effect.provide(Signer, layer, { local: true })
      for (const { make } of REFUSED) {
        const { envelopeXdr, keys } = yield* make(signer)
        const text = yield* heard(signer.sign(envelopeXdr, keys))
        expect(text).toContain("The transaction is not signed")
        expectClean(text)
      }
    }
  }),
)

effect("every failure of KMS, though KMS quotes the request", () =>
  Effect.gen(function* () {
    const { mood, url } = yield* startKms(distribution)
    const signer = yield* Effect.provide(Signer, kmsLayer(url), { local: true })
    const envelopeXdr = (yield* transactionOf(signer, [pay()])).toXdr()
    for (const type of ["InvalidSignatureException", "ThrottlingException", "ExpiredTokenException", "New"]) {
      mood.failure = { type, status: 400 }
      expectClean(yield* heard(signer.sign(envelopeXdr, BATCH_KEYS)))
    }
    mood.failure = undefined
    expectClean(yield* heard(signer.sign(envelopeXdr, BATCH_KEYS)))
  }),
)

effect("a KMS that is not there: asked again for half a minute, then the layer does not start", () =>
  Effect.gen(function* () {
    const layer = kmsLayer("http://127.0.0.1:9")
    const starting = yield* Effect.forkChild(heard(Effect.provide(Signer, layer, { local: true })))
    while (starting.pollUnsafe() === undefined) {
      yield* Effect.promise(() => Bun.sleep(2))
      yield* TestClock.adjust("1 second")
    }
    expect(yield* Clock.currentTimeMillis).toBeGreaterThanOrEqual(31_500)
    const text = yield* Fiber.join(starting)
    expect(text).toContain("KMS is not there: 127.0.0.1:9")
    expectClean(text)
  }),
)

effect("the signer itself, printed", () =>
  Effect.gen(function* () {
    const { url } = yield* startKms(distribution)
    for (const layer of [localLayer(), kmsLayer(url)])
      expectClean(inspect(yield* Effect.provide(Signer, layer, { local: true }), { depth: 10 }))
  }),
)

effect("secrets that cannot be used are not quoted", () =>
  Effect.gen(function* () {
    const good = { distributionSecret: distribution.secret(), channelSeed: SEED_HEX }
    for (const [name, wrong] of [
      ["NOVA_DISTRIBUTION_SECRET", { ...good, distributionSecret: `${distribution.secret()}X` }],
      ["NOVA_CHANNEL_SEED", { ...good, channelSeed: `${SEED_HEX}0` }],
    ] as const) {
      const layer = SignerLocal.layerSecrets(
        {
          distributionSecret: Redacted.make(wrong.distributionSecret),
          channelSeed: Redacted.make(wrong.channelSeed),
        },
        policy,
        noDailyCap,
      )
      const text = yield* heard(Effect.provide(Signer, Layer.fresh(layer), { local: true }))
      expect(text).toContain(name)
      expectClean(text)
    }
  }),
)
