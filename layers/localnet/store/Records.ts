/**
 * The framing of the ledger file: a magic number, then records of
 * kind (u32), payload length (u32), CRC-32 of those two, payload, CRC-32 of the payload; big-endian.
 *
 * A process that is killed while it appends leaves a prefix of a record at the end: a torn tail, which is cut
 * off. A power cut before the sync has returned may leave the file as long as it was to be, with zeros for what
 * had not reached the disk: a last record whose header or payload does not add up is torn too where the file is
 * zeros from the header, or from the payload's checksum, to its end (or from a sector's start within those).
 * Anything else that does not add up is damage, and is refused: what the file once showed must not change
 * silently. The lengths have a checksum of their own, so that damage to one cannot pass for a torn tail.
 */

export const MAGIC = Buffer.from("NOVALGR1", "latin1")
const HEADER_BYTES = 12
const TRAILER_BYTES = 4

/** What a disk writes as a whole, at least; zeros for what it did not write begin at a multiple of it. */
const SECTOR_BYTES = 512

export interface FileRecord {
  readonly kind: number
  readonly payload: Uint8Array
}

/** The file cannot be used; the message says why in one sentence. */
export class LedgerFileError extends Error {}

const crc32 = (bytes: Uint8Array): number => Bun.hash.crc32(bytes)

export const encodeRecord = ({ kind, payload }: FileRecord): Uint8Array => {
  const bytes = Buffer.alloc(HEADER_BYTES + payload.length + TRAILER_BYTES)
  bytes.writeUInt32BE(kind, 0)
  bytes.writeUInt32BE(payload.length, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8)
  bytes.set(payload, HEADER_BYTES)
  bytes.writeUInt32BE(crc32(payload), HEADER_BYTES + payload.length)
  return bytes
}

/** Where a record stands in the file, frame and all; bytes. */
export interface Extent {
  readonly at: number
  readonly length: number
}

export interface FoundRecord extends FileRecord {
  readonly extent: Extent
}

export interface Scan {
  readonly records: ReadonlyArray<FoundRecord>
  /** Bytes that hold whole records; what follows is a torn tail. */
  readonly length: number
}

const damaged = (path: string, at: number): LedgerFileError =>
  new LedgerFileError(
    `The ledger file ${path} is damaged at byte ${at}; restore it from a copy, or move it away to start a new network.`,
  )

const allZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

/** Whether the file is zeros to its end from `at` on, or from a sector's start less than `within` bytes later. */
const isUnwritten = (file: Buffer, at: number, within: number): boolean => {
  const sector = Math.ceil(at / SECTOR_BYTES) * SECTOR_BYTES
  return allZero(file.subarray(sector < at + within ? sector : at))
}

/** @throws LedgerFileError when the file is no ledger file or is damaged before its end */
export const scan = (file: Buffer, path: string): Scan => {
  const magic = file.subarray(0, MAGIC.length)
  if (!magic.equals(MAGIC.subarray(0, magic.length))) {
    throw new LedgerFileError(`${path} is not a ledger file.`)
  }
  if (magic.length < MAGIC.length) return { records: [], length: 0 }
  const records: Array<FoundRecord> = []
  let at = MAGIC.length
  while (at + HEADER_BYTES <= file.length) {
    const head = file.subarray(at, at + HEADER_BYTES)
    if (crc32(head.subarray(0, 8)) !== head.readUInt32BE(8)) {
      if (isUnwritten(file, at, HEADER_BYTES)) break
      throw damaged(path, at)
    }
    const start = at + HEADER_BYTES
    const end = start + head.readUInt32BE(4)
    if (end + TRAILER_BYTES > file.length) break
    const payload = file.subarray(start, end)
    if (crc32(payload) !== file.readUInt32BE(end)) {
      if (isUnwritten(file, end, TRAILER_BYTES)) break
      throw damaged(path, at)
    }
    const length = end + TRAILER_BYTES - at
    records.push({ kind: head.readUInt32BE(0), payload, extent: { at, length } })
    at += length
  }
  return { records, length: at }
}
