import { expect, it } from "bun:test"
import { Effect, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import * as ApiKey from "../../src/merchant/ApiKey.ts"

const generate = (mode: ApiKey.Mode) =>
  Effect.runPromise(ApiKey.generate(mode).pipe(Effect.provide(SecureRandom.layerWebCrypto)))

it("makes well-formed keys of either mode, never the same", async () => {
  const key = await generate("test")
  expect(Redacted.value(key)).toMatch(/^nova_test_[0-9A-Za-z]{42}$/)
  expect(ApiKey.modeOf(key)).toBe("test")
  expect(ApiKey.modeOf(await generate("live"))).toBe("live")
  expect(Redacted.value(await generate("test"))).not.toBe(Redacted.value(key))
})

it("knows a key by its checksum alone", () => {
  // The checksum by hand: CRC-32 by another implementation, then six base62 digits, highest first.
  const body = `nova_test_${"0".repeat(36)}`
  const crc = Bun.hash.crc32(body)
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  const digits = [5, 4, 3, 2, 1, 0].map((place) => alphabet[Math.floor(crc / 62 ** place) % 62]).join("")
  expect(ApiKey.modeOf(Redacted.make(body + digits))).toBe("test")
})

it("refuses a key with any one character changed, cut or added", async () => {
  const text = Redacted.value(await generate("live"))
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === "A" ? "B" : "A"
    const changed = text.slice(0, at) + other + text.slice(at + 1)
    expect([at, ApiKey.modeOf(Redacted.make(changed))]).toEqual([at, undefined])
  }
  for (const changed of [
    text.slice(1),
    text.slice(0, -1),
    `${text}0`,
    ` ${text}`,
    `${text}\n`,
    "",
    "nova_test_",
  ]) {
    expect([changed, ApiKey.modeOf(Redacted.make(changed))]).toEqual([changed, undefined])
  }
  expect(ApiKey.modeOf(Redacted.make(text.replace("live", "test")))).toBeUndefined()
})

it("shows nothing of itself when printed", async () => {
  const key = await generate("live")
  expect(`${key}${JSON.stringify({ key })}${Bun.inspect(key)}`).not.toContain(Redacted.value(key).slice(10))
})
