/**
 * Identifiers: a prefix that names the kind, then a ULID (26 Crockford base32 characters), so that ids sort by
 * the time of their making and no id of one kind passes for another.
 *
 * Source: https://github.com/ulid/spec
 */
import { Effect, Schema } from "effect"
import { SecureRandom } from "effect/crypto"

const ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"

const idSchema = <const Prefix extends string>(prefix: Prefix, description: string) =>
  Schema.String.pipe(
    Schema.check(
      Schema.isPattern(new RegExp(`^${prefix}_${ULID}$`, "u"), {
        message: `must be an id such as ${prefix}_01JD...`,
      }),
    ),
  ).annotate({ description, examples: [`${prefix}_01K9ZQ4T5XJ8W2V7R3M6N1P0CD`] })

export const IssuanceId = idSchema("iss", "An issuance")
export const CampaignId = idSchema("cmp", "A campaign")
export const MerchantId = idSchema("mer", "A merchant")

export type IdPrefix = "iss" | "cmp" | "mer" | "key" | "usr"

/** A new id of the kind, from the clock and the secure random source of the context. */
export const makeId = Effect.fnUntraced(function* (prefix: IdPrefix) {
  const random = yield* SecureRandom.SecureRandom
  return `${prefix}_${yield* random.ulid}`
})
