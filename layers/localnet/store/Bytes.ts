/** Writing and reading the payloads of the ledger file; big-endian, byte strings after their length. */

export interface ByteWriter {
  readonly u32: (value: number) => void
  readonly u64: (value: bigint) => void
  readonly bytes: (value: Uint8Array) => void
  readonly fixed: (value: Uint8Array) => void
  readonly done: () => Uint8Array
}

export const makeByteWriter = (): ByteWriter => {
  const parts: Array<Uint8Array> = []
  const u32 = (value: number): void => {
    const part = Buffer.alloc(4)
    part.writeUInt32BE(value)
    parts.push(part)
  }
  return {
    u32,
    u64: (value) => {
      const part = Buffer.alloc(8)
      part.writeBigUInt64BE(value)
      parts.push(part)
    },
    bytes: (value) => {
      u32(value.length)
      parts.push(value)
    },
    fixed: (value) => {
      parts.push(value)
    },
    done: () => Buffer.concat(parts),
  }
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
