/** What a power cut leaves of the record that was being written: whole in length, zeros from some point on. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { encodeRecord, MAGIC, scan } from "../../layers/localnet/store/Records.ts"
import { openTestNetwork } from "./TestNetwork.ts"

const HEADER_BYTES = 12

const fileOf = (...lengths: ReadonlyArray<number>): Buffer =>
  Buffer.concat([
    MAGIC,
    ...lengths.map((length, at) => encodeRecord({ kind: 1, payload: Buffer.alloc(length, 0xa0 + at) })),
  ])

const zeroFrom = (file: Buffer, at: number): Buffer =>
  Buffer.concat([file.subarray(0, at), Buffer.alloc(file.length - at)])

/** Whole records and bytes of them, or that the file is refused. */
const found = (file: Buffer): string => {
  try {
    const { records, length } = scan(file, "file")
    return `${records.length} records in ${length} bytes`
  } catch {
    return "refused"
  }
}

describe("zeros from some point to the end", () => {
  const whole = fileOf(300, 200)
  const second = fileOf(300).length

  test("of the last record: it is cut off, wherever they begin between header and checksum", () => {
    expect(found(whole)).toBe(`2 records in ${whole.length} bytes`)
    for (let at = second + HEADER_BYTES; at <= whole.length - 4; at++)
      expect([at, found(zeroFrom(whole, at))]).toEqual([at, `1 records in ${second} bytes`])
  })

  test("of records appended together: all of them that did not get there", () => {
    const three = fileOf(300, 200, 100)
    for (const at of [second, second + HEADER_BYTES, second + 100, fileOf(300, 200).length - 4])
      expect(found(zeroFrom(three, at))).toBe(`1 records in ${second} bytes`)
    expect(found(zeroFrom(three, fileOf(300, 200).length))).toBe(
      `2 records in ${fileOf(300, 200).length} bytes`,
    )
  })

  test("from the start of a sector within the header", () => {
    // Magic 8, header 12, payload 480, checksum 4: the second header stands at 504, the sector begins in it.
    expect(found(zeroFrom(fileOf(480, 200), 512))).toBe("1 records in 504 bytes")
    // From the byte after, they begin where no sector does.
    expect(found(zeroFrom(fileOf(480, 200), 513))).toBe("refused")
  })

  test("from the start of a sector within the checksum", () => {
    // Magic 8, header 12, payload 490: the checksum stands at 510, the sector begins two bytes into it.
    const file = fileOf(490)
    expect(file.readUInt32BE(510) & 0xffff).not.toBe(0)
    expect(found(zeroFrom(file, 512))).toBe("0 records in 8 bytes")
  })
})

describe("damage is refused", () => {
  test("of a last record without zeros at its end, even where much of it is zeros", () => {
    const file = fileOf(300, 200)
    const second = fileOf(300).length
    const holed = Buffer.from(file).fill(0, second + HEADER_BYTES, file.length - 4)
    expect(found(holed)).toBe("refused")
    const flipped = Buffer.from(file)
    flipped.writeUInt8(flipped.readUInt8(second + 50) ^ 1, second + 50)
    expect(found(flipped)).toBe("refused")
  })

  test("of a record that others follow, though its own end is zeros", () => {
    const file = fileOf(300, 200)
    expect(found(Buffer.from(file).fill(0, 100, fileOf(300).length))).toBe("refused")
  })

  test("of a checksum that merely ends in a zero", () => {
    const file = fileOf(300, 200)
    const flipped = Buffer.from(file)
    flipped.writeUInt8(0, file.length - 1)
    expect(file.readUInt8(file.length - 1)).not.toBe(0)
    expect(found(flipped)).toBe("refused")
  })
})

describe("the ledger file", () => {
  let directory = ""
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "nova-torn-"))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  test("with a last ledger whose header alone is written reopens to the one before, and goes on", () => {
    const path = join(directory, "ledger")
    const tools = openTestNetwork({}, path)
    tools.fundOne()
    const { hash, sequence } = tools.network.latest()
    const { size } = statSync(path)
    tools.fundOne()
    tools.network.close()
    writeFileSync(path, zeroFrom(readFileSync(path), size + HEADER_BYTES))
    const again = openTestNetwork({}, path)
    expect(again.network.latest()).toMatchObject({ hash, sequence })
    expect(statSync(path).size).toBe(size)
    again.fundOne()
    const after = again.network.latest().hash
    again.network.close()
    const last = openTestNetwork({}, path)
    expect(last.network.latest().hash).toBe(after)
    last.network.close()
  })
})
