/** What one core can do at most: ed25519 signatures verified in a second, without anything around them. */
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto"
import { Keypair } from "@stellar/stellar-sdk"

export interface SignatureBaseline {
  readonly node_crypto_per_second: number
  readonly sdk_pure_js_per_second: number
}

/** PKCS#8 of an ed25519 seed up to the seed itself (RFC 8410). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")
const MESSAGE = Buffer.alloc(32, 7)

const perSecond = (verifyOne: () => boolean, forMs: number): number => {
  const startedMs = performance.now()
  let done = 0
  while (performance.now() - startedMs < forMs) {
    for (let at = 0; at < 20; at++) if (!verifyOne()) throw new Error("a good signature was refused")
    done += 20
  }
  return (done / (performance.now() - startedMs)) * 1000
}

/** @param forMs how long each of both is measured */
export const signatureBaseline = (forMs: number): SignatureBaseline => {
  const seed = Buffer.alloc(32, 1)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" })
  const publicKey = createPublicKey(key)
  const signature = sign(null, MESSAGE, key)
  const keypair = Keypair.fromRawEd25519Seed(seed)
  return {
    node_crypto_per_second: perSecond(() => verify(null, MESSAGE, publicKey, signature), forMs),
    sdk_pure_js_per_second: perSecond(() => keypair.verify(MESSAGE, signature), forMs),
  }
}
