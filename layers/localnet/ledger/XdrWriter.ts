/**
 * XDR (RFC 4506) written into one buffer that is used again and again. The SDK's `toXdr` takes a fresh buffer
 * of 8 KiB for every value and checks each field; a full ledger writes some ten thousand values.
 */

export interface XdrWriter {
  readonly u32: (value: number) => void
  readonly u64: (value: bigint) => void
  readonly i64: (value: bigint) => void
  /** Opaque of a fixed length that is a multiple of four, from its hex. */
  readonly hex: (text: string) => void
  /** The same from its bytes. */
  readonly fixed: (bytes: Uint8Array) => void
  /** ASCII in a fixed field of `width` bytes, zeros behind it. */
  readonly text: (value: string, width: number) => void
  /** string<> or opaque<>: length, bytes, padding to four. */
  readonly variable: (bytes: Uint8Array) => void
  /** What was written since the last `clear`: valid until the next write. */
  readonly written: () => Uint8Array
  /** The same as bytes of its own. */
  readonly copy: () => Uint8Array
  readonly clear: () => void
  readonly length: () => number
  /** Overwrites a u32 at an earlier place. */
  readonly u32At: (at: number, value: number) => void
}

const FIRST_BYTES = 64 * 1024
/** What an unusually large value needed is given back. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024

export const makeXdrWriter = (): XdrWriter => {
  let buffer = Buffer.alloc(FIRST_BYTES)
  let length = 0
  /** @returns where `bytes` more go */
  const take = (bytes: number): number => {
    const at = length
    length += bytes
    if (length > buffer.length) {
      const grown = Buffer.alloc(Math.max(2 * buffer.length, length))
      buffer.copy(grown, 0, 0, at)
      buffer = grown
    }
    return at
  }
  const u32 = (value: number): void => {
    const at = take(4)
    buffer.writeUInt32BE(value, at)
  }
  const fixed = (bytes: Uint8Array): void => {
    const at = take(bytes.length)
    buffer.set(bytes, at)
  }
  // Not a Buffer, whose slice would be no copy.
  const written = (): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, length)
  return {
    u32,
    u64: (value) => {
      const at = take(8)
      buffer.writeBigUInt64BE(value, at)
    },
    i64: (value) => {
      const at = take(8)
      buffer.writeBigInt64BE(value, at)
    },
    hex: (text) => {
      const at = take(text.length / 2)
      buffer.write(text, at, "hex")
    },
    fixed,
    text: (value, width) => {
      const at = take(width)
      buffer.fill(0, at, at + width)
      buffer.write(value, at, "latin1")
    },
    variable: (bytes) => {
      u32(bytes.length)
      fixed(bytes)
      const padding = (4 - (bytes.length % 4)) % 4
      const at = take(padding)
      buffer.fill(0, at, at + padding)
    },
    written,
    copy: () => written().slice(),
    clear: () => {
      if (buffer.length > KEPT_BYTES_MAX) buffer = Buffer.alloc(FIRST_BYTES)
      length = 0
    },
    length: () => length,
    u32At: (at, value) => {
      buffer.writeUInt32BE(value, at)
    },
  }
}
