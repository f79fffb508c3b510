/** Writing and reading the payloads of the ledger file; big-endian, byte strings after their length. */
import { makeXdrWriter, type XdrWriter } from "../ledger/XdrWriter.ts"

/** Nothing here is asynchronous, so one buffer serves all. */
const shared = makeXdrWriter()

/** What `write` writes, valid until the next call: for whoever copies or compresses it at once. */
export const writtenBytes = (write: (out: XdrWriter) => void): Uint8Array => {
  shared.clear()
  write(shared)
  return shared.written()
}

/** A byte string after its length. */
export const writeBytes = (out: XdrWriter, bytes: Uint8Array): void => {
  out.u32(bytes.length)
  out.fixed(bytes)
}

export interface ByteReader {
  readonly u32: () => number
  readonly u64: () => bigint
  readonly bytes: () => Uint8Array
  readonly fixed: (length: number) => Uint8Array
}

/** Its checksum has vouched for the payload; reading past its end is a bug or another version's format. */
export const makeByteReader = (payload: Uint8Array): ByteReader => {
  const buffer = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  let at = 0
  const take = (length: number): Buffer => {
    if (at + length > buffer.length) throw new RangeError("a record ends too soon")
    const part = buffer.subarray(at, at + length)
    at += length
    return part
  }
  const u32 = (): number => take(4).readUInt32BE()
  return {
    u32,
    u64: () => take(8).readBigUInt64BE(),
    bytes: () => take(u32()),
    fixed: take,
  }
}
