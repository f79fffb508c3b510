/**
 * CRC-32 with the reversed polynomial 0xEDB88320, as in gzip and PNG: an unsigned 32-bit number.
 *
 * Source: RFC 1952, section 8
 */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
  return remainder >>> 0
})

export const crc32 = (text: string): number => {
  let remainder = 0xffffffff
  for (const byte of new TextEncoder().encode(text)) {
    remainder = (remainder >>> 8) ^ (TABLE[(remainder ^ byte) & 0xff] ?? 0)
  }
  return (remainder ^ 0xffffffff) >>> 0
}
