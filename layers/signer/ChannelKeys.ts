/**
 * Channel keys from one seed, by index: SEP-5 (m/44'/148'/index') over SLIP-10's ed25519 derivation.
 *
 * Sources: https://github.com/stellar/stellar-protocol/blob/master/ecosystem/sep-0005.md,
 * https://github.com/satoshilabs/slips/blob/master/slip-0010.md
 */
import { createHmac } from "node:crypto"
import { Keypair } from "@stellar/stellar-sdk"

const HARDENED = 0x80000000
const STELLAR_PATH = [44, 148]

/** Channels are 0 to 199: their accounts are read by one getLedgerEntries call, which takes 200 keys. */
export const CHANNELS_MAX = 200

const hmac = (key: Uint8Array | string, data: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac("sha512", key).update(data).digest())

const childData = (key: Uint8Array, index: number): Uint8Array => {
  const data = new Uint8Array(37)
  data.set(key, 1)
  new DataView(data.buffer).setUint32(33, (HARDENED + index) >>> 0)
  return data
}

/** The key pair of channel `index` (0 to 2^31 - 1) under the seed (16 to 64 bytes, as SLIP-10 wants). */
export const channelKeypair = (seed: Uint8Array, index: number): Keypair => {
  let node = hmac("ed25519 seed", seed)
  for (const step of [...STELLAR_PATH, index]) {
    node = hmac(node.slice(32), childData(node.slice(0, 32), step))
  }
  return Keypair.fromRawEd25519Seed(Buffer.from(node.slice(0, 32)))
}

export interface ChannelKeys {
  /** Undefined where there is no such channel. */
  readonly keypair: (index: number) => Keypair | undefined
  /** The index of the channel with this address (G...); undefined for an address that is none of ours. */
  readonly indexOf: (address: string) => number | undefined
}

/** Every channel of the seed, each derived when it is first needed. */
export const makeChannelKeys = (seed: Uint8Array): ChannelKeys => {
  const keypairs = new Map<number, Keypair>()
  const indexes = new Map<string, number>()

  const keypair = (index: number) => {
    if (!Number.isInteger(index) || index < 0 || index >= CHANNELS_MAX) return undefined
    const found = keypairs.get(index) ?? channelKeypair(seed, index)
    keypairs.set(index, found)
    indexes.set(found.publicKey(), index)
    return found
  }

  const indexOf = (address: string) => {
    for (let index = 0; index < CHANNELS_MAX && !indexes.has(address); index++) {
      if (!keypairs.has(index)) keypair(index)
    }
    return indexes.get(address)
  }

  return { keypair, indexOf }
}
