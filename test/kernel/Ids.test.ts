import { expect, it } from "bun:test"
import { Effect, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { CampaignId, IssuanceId, makeId } from "../../src/kernel/Ids.ts"

it("makes ids that its schemas accept, each for its kind only", async () => {
  const made = await Effect.runPromise(
    Effect.all([makeId("iss"), makeId("cmp")]).pipe(Effect.provide(SecureRandom.layerWebCrypto)),
  )
  expect(made.map(Schema.is(IssuanceId))).toEqual([true, false])
  expect(made.map(Schema.is(CampaignId))).toEqual([false, true])
})

it("refuses what could not be one", () => {
  const faulty = [
    "",
    "iss_",
    "iss_01K9ZQ4T5XJ8W2V7R3M6N1P0C",
    "iss_01K9ZQ4T5XJ8W2V7R3M6N1P0CDE",
    "iss_81K9ZQ4T5XJ8W2V7R3M6N1P0CD",
    "iss_01K9ZQ4T5XJ8W2V7R3M6N1P0CI",
    "iss_01k9zq4t5xj8w2v7r3m6n1p0cd",
    "iss_01K9ZQ4T5XJ8W2V7R3M6N1P0CD\n",
    "iss_01K9ZQ4T5XJ8W2V7R3M6N1P0C\u0000",
  ]
  for (const text of faulty) expect([text, Schema.is(IssuanceId)(text)]).toEqual([text, false])
})
