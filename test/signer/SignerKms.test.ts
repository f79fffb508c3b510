/** KMS's refusals and failures: what each means, and which setting its sentence names. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { Signer } from "../../src/ports/Signer.ts"
import { effect, live } from "../support/it.ts"
import { distribution, keypairOf } from "../support/TestNetwork.ts"
import { KMS_KEY, type Mood, startKms } from "./KmsStandIn.ts"
import { BATCH_KEYS, isSignedBy, kmsLayer, pay, transactionOf } from "./Signers.ts"

type Given = NonNullable<Parameters<typeof kmsLayer>[1]>

const signPayment = Effect.fnUntraced(function* (signer: Signer["Service"]) {
  return yield* signer.sign((yield* transactionOf(signer, [pay()])).toXdr(), BATCH_KEYS)
})

const start = Effect.fnUntraced(function* (given: Given = {}) {
  const { mood, url } = yield* startKms(distribution)
  const signer = yield* Effect.provide(Signer, kmsLayer(url, given), { local: true })
  return { mood, signer }
})

/** How the layer fails to start. */
const startFailing = (given: Given, turn: (mood: Mood) => void = () => undefined) =>
  Effect.gen(function* () {
    const { mood, url } = yield* startKms(distribution)
    turn(mood)
    const error = yield* Effect.flip(Effect.provide(Signer, kmsLayer(url, given), { local: true }))
    expect(error._tag).toBe("SignerUnusable")
    return error.message
  })

describe("a refusal of KMS", () => {
  const rows = [
    { type: "ThrottlingException", status: 400, reason: "throttled", retry: "backoff", says: "quota" },
    {
      type: "com.amazonaws.kms#ThrottlingException",
      status: 400,
      reason: "throttled",
      retry: "backoff",
      says: "",
    },
    { type: "", status: 429, reason: "throttled", retry: "backoff", says: "" },
    { type: "AccessDeniedException", status: 400, reason: "denied", retry: "never", says: "kms:Sign" },
    { type: "DisabledException", status: 400, reason: "denied", retry: "never", says: "AWS_KMS_KEY_ID" },
    {
      type: "KMSInvalidStateException",
      status: 400,
      reason: "denied",
      retry: "never",
      says: "AWS_KMS_KEY_ID",
    },
    { type: "NotFoundException", status: 400, reason: "denied", retry: "never", says: "AWS_REGION" },
    {
      type: "ExpiredTokenException",
      status: 400,
      reason: "denied",
      retry: "never",
      says: "AWS_SESSION_TOKEN",
    },
    {
      type: "UnrecognizedClientException",
      status: 400,
      reason: "denied",
      retry: "never",
      says: "AWS_ACCESS_KEY_ID",
    },
    { type: "SomethingNewException", status: 400, reason: "denied", retry: "never", says: "SomethingNew" },
    { type: "KeyUnavailableException", status: 500, reason: "unavailable", retry: "backoff", says: "later" },
    { type: "constructor", status: 503, reason: "unavailable", retry: "backoff", says: "503" },
  ] as const
  for (const { reason, retry, says, status, type } of rows) {
    effect(`${status} ${type || "without a type"} is ${reason}`, () =>
      Effect.gen(function* () {
        const { mood, signer } = yield* start()
        mood.failure = { type, status }
        const error = yield* Effect.flip(signPayment(signer))
        expect<[string, string]>([error.reason, error.retry]).toEqual([reason, retry])
        expect(error.message).toContain(says)
        mood.failure = undefined
        yield* signPayment(signer)
      }),
    )
  }
})

live("an answer that does not come in time is worth another try", () =>
  Effect.gen(function* () {
    const { mood, signer } = yield* start({ timeoutMs: 200 })
    mood.silent = true
    const error = yield* Effect.flip(signPayment(signer))
    expect([error.reason, error.retry]).toEqual(["timed_out", "backoff"])
  }),
)

effect("bytes that are no signature of the distribution key are not used", () =>
  Effect.gen(function* () {
    const { mood, signer } = yield* start()
    for (const spoil of [
      (signature: Uint8Array) => signature.slice(0, 63),
      () => keypairOf("another key").sign(Buffer.alloc(32)),
    ]) {
      mood.spoil = spoil
      expect((yield* Effect.flip(signPayment(signer))).reason).toBe("unavailable")
    }
  }),
)

effect("signs the hash itself, by the key behind the alias", () =>
  Effect.gen(function* () {
    const { mood, signer } = yield* start({ keyId: KMS_KEY.arn })
    const signed = yield* signPayment(signer)
    expect(isSignedBy(signed.envelopeXdr, distribution.publicKey())).toBe(true)
    expect(mood.signed).toBe(1)
  }),
)

describe("does not start", () => {
  effect("with a secret that AWS does not accept", () =>
    Effect.gen(function* () {
      expect(yield* startFailing({ secretAccessKey: "wrong" })).toContain("AWS_SECRET_ACCESS_KEY")
    }),
  )

  effect("without a key of that name", () =>
    Effect.gen(function* () {
      expect(yield* startFailing({ keyId: "alias/nobody" })).toContain("AWS_KMS_KEY_ID")
    }),
  )

  effect("with a key of another kind", () =>
    Effect.gen(function* () {
      const message = yield* startFailing({}, (mood) => {
        mood.keySpec = "ECC_NIST_P256"
      })
      expect(message).toContain("ECC_NIST_EDWARDS25519")
    }),
  )
})
