/**
 * API keys: `nova_test_` or `nova_live_`, 36 random base62 characters (214 bits), 6 characters of checksum.
 *
 * The checksum tells a mistyped or cut-off key from an unknown one without asking the database, and lets secret
 * scanners recognise a key in a public repository. It is no protection: that is the randomness.
 *
 * Source: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
import { Effect, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { crc32 } from "../kernel/Crc32.ts"
import { sha256 } from "../kernel/Sha256.ts"

/** A test key works on test networks with test rows, a live key on the public network with live rows. */
export type Mode = "live" | "test"

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const RANDOM_LENGTH = 36
const CHECKSUM_LENGTH = 6
const SHAPE = new RegExp(`^nova_(live|test)_[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`)

/** CRC-32 of everything before it, in base62: 62^6 > 2^32, so six characters always hold it. */
const checksum = (body: string): string => {
  let rest = crc32(body)
  let digits = ""
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = ALPHABET.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}

/** A new key. Its holder sees it once; only `hashOf` it is stored. */
export const generate = Effect.fnUntraced(function* (mode: Mode) {
  const random = yield* SecureRandom.SecureRandom
  let body = `nova_${mode}_`
  for (let place = 0; place < RANDOM_LENGTH; place++) {
    body += ALPHABET.charAt(yield* random.intBetween(0, ALPHABET.length, { halfOpen: true }))
  }
  return Redacted.make(body + checksum(body), { label: "api key" })
})

/** The mode of a well-formed key; undefined for anything else. Says nothing about whether the key exists. */
export const modeOf = (key: Redacted.Redacted): Mode | undefined => {
  const text = Redacted.value(key)
  const mode = SHAPE.exec(text)?.[1]
  const body = text.slice(0, -CHECKSUM_LENGTH)
  if (mode === undefined || checksum(body) !== text.slice(-CHECKSUM_LENGTH)) return undefined
  return mode === "live" ? "live" : "test"
}

/** What is stored: the key has too much randomness to be guessed from its hash, so no salt and no slow hash. */
export const hashOf = (key: Redacted.Redacted): Uint8Array => sha256(Redacted.value(key))

/** The last four characters, so that a person can tell keys apart. */
export const hintOf = (key: Redacted.Redacted): string => Redacted.value(key).slice(-4)
