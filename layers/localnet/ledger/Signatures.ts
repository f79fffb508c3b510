/** Signature weights, as stellar-core src/transactions/SignatureChecker.cpp counts them. */
import { createPublicKey, type KeyObject, verify } from "node:crypto"
import { bytesOf, hexOf, SignerType, sha256 } from "./Codec.ts"
import type { AccountState, SignerKeyText, SignerState } from "./Entries.ts"
import type { SignatureFrame } from "./Frame.ts"

/** SubjectPublicKeyInfo of an ed25519 key up to the key itself (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex")

/**
 * The encodings of points whose order divides 8 (libsodium's ge25519_has_small_order): y = 0, 1, the two of
 * order 8, p-1, p and p+1, little-endian. The top bit is the sign of x and counts for nothing here.
 */
const SMALL_ORDER = new Set(
  [
    "00".repeat(32),
    `01${"00".repeat(31)}`,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}7f`,
  ].flatMap((hex) => {
    const negative = bytesOf(hex)
    negative[31] = (negative[31] ?? 0) | 0x80
    return [hex, hexOf(negative)]
  }),
)

const KEYS_KEPT_MAX = 50_000
const keys = new Map<string, KeyObject | "refused">()

const keyObject = (hex: string): KeyObject | "refused" => {
  const known = keys.get(hex)
  if (known !== undefined) return known
  if (keys.size >= KEYS_KEPT_MAX) keys.clear()
  const made = SMALL_ORDER.has(hex)
    ? "refused"
    : createPublicKey({
        key: Buffer.concat([SPKI_PREFIX, bytesOf(hex)]),
        format: "der",
        type: "spki",
      })
  keys.set(hex, made)
  return made
}

/**
 * As core verifies (PubKeyUtils::verifySig: libsodium's crypto_sign_verify_detached, from protocol 25 on dalek's
 * verify_strict): by RFC 8032, and neither the key nor R may be of small order. The runtime's own verification
 * takes those, and a signature with S = 0 by a key of small order is anybody's.
 */
const verifyEd25519 = (keyHex: string, message: Uint8Array, signature: Uint8Array): boolean => {
  if (signature.length !== 64 || SMALL_ORDER.has(hexOf(signature.subarray(0, 32)))) return false
  try {
    const key = keyObject(keyHex)
    return key !== "refused" && verify(null, message, key, signature)
  } catch {
    // A public key that is no point on the curve verifies nothing.
    return false
  }
}

/** The last four bytes of a key: enough to know which signature to try (CAP-40 for signed payloads). */
const matchesHint = (hint: string, keyHex: string): boolean => hint === keyHex.slice(-8)

const signedPayloadHint = (keyHex: string, payload: Uint8Array): string => {
  const hint = bytesOf(keyHex.slice(-8))
  const tail = payload.length >= 4 ? payload.subarray(payload.length - 4) : payload
  for (let at = 0; at < tail.length; at++) hint[at] = (hint[at] ?? 0) ^ (tail[at] ?? 0)
  return hexOf(hint)
}

const verifyOnce = (signature: SignatureFrame, key: SignerKeyText, check: () => boolean): boolean => {
  const known = signature.verified.get(key)
  if (known !== undefined) return known
  const valid = check()
  signature.verified.set(key, valid)
  return valid
}

const verifies = (signature: SignatureFrame, key: SignerKeyText, contents: Uint8Array): boolean => {
  const keyHex = key.slice(8, 72)
  switch (key.slice(0, 8)) {
    case SignerType.ed25519:
      return (
        matchesHint(signature.hint, keyHex) &&
        verifyOnce(signature, key, () => verifyEd25519(keyHex, contents, signature.signature))
      )
    case SignerType.hashX:
      return matchesHint(signature.hint, keyHex) && hexOf(sha256(signature.signature)) === keyHex
    case SignerType.signedPayload: {
      const payload = bytesOf(key.slice(72))
      return (
        signature.hint === signedPayloadHint(keyHex, payload) &&
        verifyOnce(signature, key, () => verifyEd25519(keyHex, payload, signature.signature))
      )
    }
    default:
      return false
  }
}

export interface SignatureChecker {
  /** Whether the signatures by these signers reach the weight; at least one has to match, even for weight 0. */
  readonly check: (signers: ReadonlyArray<SignerState>, neededWeight: number) => boolean
  /** The same by an account's own key and signers. */
  readonly checkAccount: (account: AccountState, neededWeight: number) => boolean
  /** Whether every signature has served some check: the rule behind txBAD_AUTH_EXTRA. */
  readonly allUsed: () => boolean
}

/** The account's own key by its master weight, then its signers (TransactionFrame::checkSignature). */
const signersOf = (account: AccountState): ReadonlyArray<SignerState> => {
  const [masterWeight] = account.thresholds
  if (masterWeight === 0) return account.signers
  const master = { key: SignerType.ed25519 + account.id, weight: masterWeight }
  return account.signers.length === 0 ? [master] : [master, ...account.signers]
}

const SIGNATURE_SIGNERS = [SignerType.hashX, SignerType.ed25519, SignerType.signedPayload] as const

export const makeSignatureChecker = (
  contents: Uint8Array,
  signatures: ReadonlyArray<SignatureFrame>,
): SignatureChecker => {
  const contentsHex = hexOf(contents)
  const used = signatures.map(() => false)
  // Entries are immutable, so the same account needs the same check once, whatever its operations' number.
  const checked = new Map<AccountState, Map<number, boolean>>()

  const check = (signers: ReadonlyArray<SignerState>, neededWeight: number): boolean => {
    let total = 0
    for (const signer of signers) {
      if (signer.key !== SignerType.preAuthTx + contentsHex) continue
      total += Math.min(signer.weight, 255)
      if (total >= neededWeight) return true
    }
    for (const type of SIGNATURE_SIGNERS) {
      const left = signers.filter((signer) => signer.key.startsWith(type))
      for (let at = 0; at < signatures.length && left.length > 0; at++) {
        const signature = signatures[at]
        if (signature === undefined) continue
        const found = left.findIndex((signer) => verifies(signature, signer.key, contents))
        if (found < 0) continue
        used[at] = true
        const [signer] = left.splice(found, 1)
        total += Math.min(signer?.weight ?? 0, 255)
        if (total >= neededWeight) return true
      }
    }
    return false
  }

  return {
    check,
    checkAccount: (account, neededWeight) => {
      const byWeight = checked.get(account) ?? new Map<number, boolean>()
      checked.set(account, byWeight)
      const known = byWeight.get(neededWeight)
      if (known !== undefined) return known
      const enough = check(signersOf(account), neededWeight)
      byWeight.set(neededWeight, enough)
      return enough
    },
    allUsed: () => used.every((one) => one),
  }
}
