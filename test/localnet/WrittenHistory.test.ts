/** The history of closed ledgers in the ledger file: written once, soon after the ledger, copied by a rewrite. */
import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Asset, type Keypair, Operation } from "@stellar/stellar-sdk"
import { type LocalNetwork, openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { RecordKind } from "../../layers/localnet/store/LedgerRecords.ts"
import { encodeRecord, type FileRecord, MAGIC, scan } from "../../layers/localnet/store/Records.ts"
import { lastLedgerIn } from "../../layers/localnet/store/Snapshot.ts"
import { buildOn, openTestNetwork, PASSPHRASE } from "./TestNetwork.ts"
import { visible } from "./Visible.ts"

let directory = ""
let file = ""
const opened: Array<LocalNetwork> = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nova-history-"))
  file = join(directory, "ledger")
})

afterEach(() => {
  for (const network of opened.splice(0)) network.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Limits that nothing in these tests reaches, but for those that a test names. */
const NEVER = {
  checkpointAfterBytes: 1e9,
  checkpointAfterLedgers: 1e9,
  historyAfterBytes: 1e9,
  rewriteAfterBytes: 1e9,
}

const open = (limits: Partial<typeof NEVER>, retentionLedgers = 1000): LocalNetwork => {
  const network = openNetwork({
    settings: { passphrase: PASSPHRASE, retentionLedgers },
    now: () => 0,
    ledgerFile: file,
    friendbotHelpers: 0,
    ledgerFileLimits: { ...NEVER, ...limits },
  })
  opened.push(network)
  return network
}

/** The accounts, made with a file that holds ledgers alone. */
const makeAccounts = (): readonly [Keypair, Keypair] => {
  const tools = openTestNetwork({}, file)
  const [one, other] = tools.fund(2) as [Keypair, Keypair]
  tools.network.close()
  return [one, other]
}

/** A ledger with a payment, then an empty one. */
const step = (network: LocalNetwork, from: Keypair, to: Keypair): void => {
  const pay = Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount: "1" })
  const { status } = network.submit(buildOn(network, from, [pay]).envelopeXdr)
  expect(status).toBe("PENDING")
  network.closeLedger(0)
  network.closeLedger(0)
}

const recordsOf = (): ReadonlyArray<FileRecord> => scan(readFileSync(file), file).records

const write = (records: ReadonlyArray<FileRecord>): void =>
  writeFileSync(file, Buffer.concat([MAGIC, ...records.map(encodeRecord)]))

/** First and last ledger of every history record. */
const spans = (records = recordsOf()): ReadonlyArray<readonly [number, number]> =>
  records
    .filter(({ kind }) => kind === RecordKind.history)
    .map((record) => [Buffer.from(record.payload).readUInt32BE(4), lastLedgerIn(record)])

/** A history record as it was written before it was compressed. */
const asPlain = ({ kind, payload }: FileRecord): FileRecord =>
  kind === RecordKind.history
    ? { kind: RecordKind.plainHistory, payload: Bun.zstdDecompressSync(payload.subarray(8)) }
    : { kind, payload }

test("every ledger's history is written once, whatever comes between: closes, checkpoints, restarts", () => {
  const accounts = makeAccounts()
  for (let round = 0; round < 4; round++) {
    const network = open({ historyAfterBytes: round % 2 === 0 ? 1 : 400, checkpointAfterLedgers: 5 })
    for (let at = 0; at < 4; at++) step(network, ...accounts)
    network.close()
  }
  const found = spans()
  expect(found.length).toBeGreaterThan(6)
  expect(found[0]?.[0]).toBe(1)
  for (const [at, [first, last]] of found.entries()) {
    expect(last).toBeGreaterThanOrEqual(first)
    if (at > 0) expect(first).toBe((found[at - 1]?.[1] ?? 0) + 1)
  }
})

test("a kill at any byte behind a checkpoint reopens to a ledger that was there, with all before it", () => {
  const accounts = makeAccounts()
  const limits = { historyAfterBytes: 1, checkpointAfterLedgers: 4 }
  const network = open(limits)
  for (let at = 0; at < 3; at++) step(network, ...accounts)
  const hashes = new Map<number, string>()
  for (let at = 1; at <= network.latest().sequence; at++) hashes.set(at, network.ledger(at)?.hash ?? "")
  network.close()
  const whole = readFileSync(file)
  const start = scan(whole, file).records.findIndex(({ kind }) => kind === RecordKind.state)
  const from = scan(whole, file).records[start]?.extent.at ?? 0
  expect(from).toBeGreaterThan(0)
  const ends = new Set<number>()
  for (let length = from; length <= whole.length; length += 13) {
    writeFileSync(file, whole.subarray(0, length))
    const torn = open(limits)
    const { sequence, hash } = torn.latest()
    expect(hash).toBe(hashes.get(sequence) ?? "none")
    expect(torn.oldestLedger()).toBe(1)
    for (const one of [2, sequence - 1]) expect(torn.ledger(one)?.hash).toBe(hashes.get(one) ?? "none")
    ends.add(sequence)
    torn.close()
  }
  expect(ends.size).toBeGreaterThan(1)
})

test("a rewrite copies the retained history, drops the rest, and shows the same", () => {
  const accounts = makeAccounts()
  const first = open({ historyAfterBytes: 1, checkpointAfterLedgers: 4 }, 10)
  for (let at = 0; at < 12; at++) step(first, ...accounts)
  const before = visible({ network: first }, accounts)
  const oldest = first.oldestLedger()
  expect(first.latest().sequence - oldest).toBe(9)
  first.close()
  const copied = spans().filter(([, last]) => last >= oldest)

  const second = open({ historyAfterBytes: 1, checkpointAfterLedgers: 1, rewriteAfterBytes: -1e9 }, 10)
  expect(visible({ network: second }, accounts)).toBe(before)
  step(second, ...accounts)
  const after = visible({ network: second }, accounts)
  const { sequence } = second.latest()
  second.close()
  const kinds = recordsOf().map(({ kind }) => kind)
  expect(kinds.slice(0, 2)).toEqual([RecordKind.identity, RecordKind.settings])
  expect(kinds.slice(2, -1).every((kind) => kind === RecordKind.history)).toBe(true)
  expect(kinds.at(-1)).toBe(RecordKind.state)
  const kept = spans()
  expect(kept.at(-1)?.[1]).toBe(sequence)
  expect(kept.every(([, last]) => last >= sequence - 9)).toBe(true)
  // Two ledgers later, what is still retained of the records of before stands there as it was.
  const still = copied.filter(([, last]) => last >= sequence - 9)
  expect(still.length).toBeGreaterThan(1)
  for (const span of still) expect(kept).toContainEqual(span)
  expect(visible({ network: open({}, 10) }, accounts)).toBe(after)
})

test("a file with uncompressed history is read, and goes on", () => {
  const accounts = makeAccounts()
  const first = open({ checkpointAfterLedgers: 4 })
  for (let at = 0; at < 5; at++) step(first, ...accounts)
  const before = visible({ network: first }, accounts)
  first.close()
  const records = recordsOf().map(asPlain)
  expect(records.some(({ kind }) => kind === RecordKind.plainHistory)).toBe(true)
  write(records)
  const second = open({ checkpointAfterLedgers: 4, rewriteAfterBytes: -1e9 })
  expect(visible({ network: second }, accounts)).toBe(before)
  for (let at = 0; at < 3; at++) step(second, ...accounts)
  const after = visible({ network: second }, accounts)
  second.close()
  expect(visible({ network: open({}) }, accounts)).toBe(after)
})

test("a history that the file holds twice forgets nothing: its checkpoint was torn, and made again", () => {
  const accounts = makeAccounts()
  const network = open({ historyAfterBytes: 1, checkpointAfterLedgers: 4 })
  for (let at = 0; at < 6; at++) step(network, ...accounts)
  const before = visible({ network }, accounts)
  network.close()
  const records = recordsOf()
  const last = records.findLastIndex(({ kind }) => kind === RecordKind.history)
  write(records.flatMap((record, at) => (at === last ? [record, record] : [record])))
  const again = open({})
  expect(visible({ network: again }, accounts)).toBe(before)
  expect(again.oldestLedger()).toBe(1)
})
