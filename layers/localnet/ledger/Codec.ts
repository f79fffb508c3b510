/** Translation between SDK XDR values and the engine's keys. */
import { StrKey, xdr } from "@stellar/stellar-sdk"
import type { AccountKey, AssetKey, SignerKeyText } from "./Entries.ts"

export const hexOf = (bytes: Uint8Array): string => bytes.toHex()

export const bytesOf = (hex: string): Uint8Array => Uint8Array.fromHex(hex)

export const base64Of = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")

export const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const hasher = new Bun.CryptoHasher("sha256")
  for (const part of parts) hasher.update(part)
  return hasher.digest()
}

/** An operation's asset is asked for several times on its way, and translated once. */
const remembered = <From extends object, To>(translate: (from: From) => To): ((from: From) => To) => {
  const known = new WeakMap<From, { readonly to: To }>()
  return (from) => {
    const found = known.get(from)
    if (found !== undefined) return found.to
    const to = translate(from)
    known.set(from, { to })
    return to
  }
}

export const accountOf = (id: xdr.AccountId): AccountKey => hexOf(id.ed25519.value)

/** The ed25519 account behind a G... or M... account. */
export const muxedAccountOf = (account: xdr.MuxedAccount): AccountKey =>
  hexOf((account.type === "keyTypeEd25519" ? account.ed25519 : account.med25519.ed25519).value)

export const accountId = (key: AccountKey): xdr.AccountId => xdr.PublicKey.publicKeyTypeEd25519(bytesOf(key))

export const addressOf = (key: AccountKey): string => StrKey.encodeEd25519PublicKey(bytesOf(key))

export const keyOfAddress = (address: string): AccountKey => hexOf(StrKey.decodeEd25519PublicKey(address))

/** isStringValid, stellar-core src/util/types.cpp: ASCII without control characters. */
export const isPrintable = (text: Uint8Array): boolean => text.every((byte) => byte >= 0x20 && byte < 0x7f)

const isAlphanumeric = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)

/**
 * The code as text when valid: at least `shortest` ASCII letters or digits, then only zero bytes
 * (stellar-core src/util/types.cpp isAssetValid: 1-4 characters for alphanum4, 5-12 for alphanum12).
 */
const codeOf = (code: Uint8Array, shortest: number): string | undefined => {
  let length = 0
  while (length < code.length && code[length] !== 0) {
    if (!isAlphanumeric(code[length] ?? 0)) return undefined
    length++
  }
  for (let at = length; at < code.length; at++) if (code[at] !== 0) return undefined
  return length < shortest ? undefined : Buffer.from(code.subarray(0, length)).toString("latin1")
}

type AnyAsset = xdr.Asset | xdr.ChangeTrustAsset | xdr.TrustLineAsset

/** The asset's key, or undefined where the asset is not valid (or is a pool share). */
export const assetOf = remembered((asset: AnyAsset): AssetKey | undefined => {
  switch (asset.type) {
    case "assetTypeNative":
      return "native"
    case "assetTypeCreditAlphanum4": {
      const code = codeOf(asset.alphaNum4.assetCode.value, 1)
      return code === undefined ? undefined : `${code}:${accountOf(asset.alphaNum4.issuer)}`
    }
    case "assetTypeCreditAlphanum12": {
      const code = codeOf(asset.alphaNum12.assetCode.value, 5)
      return code === undefined ? undefined : `${code}:${accountOf(asset.alphaNum12.issuer)}`
    }
    default:
      return undefined
  }
})

export const issuerOf = (asset: AssetKey): AccountKey => asset.slice(-64)

export const assetCodeOf = (asset: AssetKey): string => asset.slice(0, -65)

export const assetXdr = (key: AssetKey): xdr.Asset => {
  if (key === "native") return xdr.Asset.assetTypeNative()
  const assetCode = assetCodeOf(key)
  const issuer = accountId(issuerOf(key))
  return assetCode.length <= 4
    ? xdr.Asset.assetTypeCreditAlphanum4(new xdr.AlphaNum4({ assetCode, issuer }))
    : xdr.Asset.assetTypeCreditAlphanum12(new xdr.AlphaNum12({ assetCode, issuer }))
}

export const trustlineAssetXdr = (key: AssetKey): xdr.TrustLineAsset => {
  const assetCode = assetCodeOf(key)
  const issuer = accountId(issuerOf(key))
  return assetCode.length <= 4
    ? xdr.TrustLineAsset.assetTypeCreditAlphanum4(new xdr.AlphaNum4({ assetCode, issuer }))
    : xdr.TrustLineAsset.assetTypeCreditAlphanum12(new xdr.AlphaNum12({ assetCode, issuer }))
}

export const SignerType = {
  ed25519: "00000000",
  preAuthTx: "00000001",
  hashX: "00000002",
  signedPayload: "00000003",
} as const

export const signerKeyOf = (key: xdr.SignerKey): SignerKeyText => {
  switch (key.type) {
    case "signerKeyTypeEd25519":
      return SignerType.ed25519 + hexOf(key.ed25519.value)
    case "signerKeyTypePreAuthTx":
      return SignerType.preAuthTx + hexOf(key.preAuthTx.value)
    case "signerKeyTypeHashX":
      return SignerType.hashX + hexOf(key.hashX.value)
    case "signerKeyTypeEd25519SignedPayload":
      return (
        SignerType.signedPayload +
        hexOf(key.ed25519SignedPayload.ed25519.value) +
        hexOf(key.ed25519SignedPayload.payload)
      )
  }
}

export const signerKeyXdr = (key: SignerKeyText): xdr.SignerKey => {
  const content = bytesOf(key.slice(8, 72))
  switch (key.slice(0, 8)) {
    case SignerType.ed25519:
      return xdr.SignerKey.signerKeyTypeEd25519(content)
    case SignerType.preAuthTx:
      return xdr.SignerKey.signerKeyTypePreAuthTx(content)
    case SignerType.hashX:
      return xdr.SignerKey.signerKeyTypeHashX(content)
    default:
      return xdr.SignerKey.signerKeyTypeEd25519SignedPayload(
        new xdr.SignerKeyEd25519SignedPayload({ ed25519: content, payload: bytesOf(key.slice(72)) }),
      )
  }
}
