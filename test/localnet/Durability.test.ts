/** The ledger file: what was shown survives, what was being written does not count, damage is refused. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Asset, type Keypair, Operation } from "@stellar/stellar-sdk"
import { openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { RecordKind } from "../../layers/localnet/store/LedgerRecords.ts"
import { encodeRecord, type FileRecord, MAGIC, scan } from "../../layers/localnet/store/Records.ts"
import {
  accountIn,
  accountKeyOf,
  buildOn,
  openTestNetwork,
  PASSPHRASE,
  type TestNetwork,
} from "./TestNetwork.ts"
import { visible } from "./Visible.ts"

let directory = ""
let file = ""
const opened: Array<TestNetwork> = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nova-ledger-"))
  file = join(directory, "ledger")
})

afterEach(() => {
  for (const { network } of opened.splice(0)) network.close()
  rmSync(directory, { recursive: true, force: true })
})

const open = (path = file, settings = {}): TestNetwork => {
  const tools = openTestNetwork(settings, path)
  opened.push(tools)
  return tools
}

const pay = (to: Keypair, amount: string) =>
  Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount })

/** Some ledgers with something in them. */
const fill = (tools: TestNetwork): ReadonlyArray<Keypair> => {
  const accounts = tools.fund(3)
  const [one, other, third] = accounts as [Keypair, Keypair, Keypair]
  tools.run(one, [pay(other, "5")])
  tools.close()
  tools.run(third, [Operation.changeTrust({ asset: new Asset("NOVA", one.publicKey()) })])
  tools.run(one, [pay(other, "50000000")])
  tools.close()
  tools.close()
  return accounts
}

describe("reopening", () => {
  test("shows the very same ledgers, transactions and entries", () => {
    const first = open()
    const accounts = fill(first)
    const before = visible(first, accounts)
    first.network.close()
    expect(visible(open(), accounts)).toBe(before)
  })

  test("goes on where it stopped", () => {
    const first = open()
    const [one, other] = fill(first) as [Keypair, Keypair]
    const { hash, sequence } = first.network.latest()
    first.network.close()
    const second = open()
    const next = second.close()
    expect(next.sequence).toBe(sequence + 1)
    expect(next.previousHash).toBe(hash)
    expect(second.run(one, [pay(other, "1")]).transaction).toBe("txSuccess")
  })

  test("other settings hold from the next ledger on; what was closed stays as it was", () => {
    const first = open()
    const accounts = fill(first)
    const before = visible(first, accounts)
    first.network.close()
    const second = open(file, { baseFeeStroops: 200 })
    expect(visible(second, accounts)).toBe(before)
    expect(second.close().header.baseFee).toBe(200)
    second.close()
    second.network.close()
    const third = open(file, { baseFeeStroops: 200 })
    expect(third.network.latest().sequence).toBe(second.network.latest().sequence)
    expect(third.network.latest().hash).toBe(second.network.latest().hash)
  })

  test("a pending transaction is lost, as with a node", () => {
    const first = open()
    const [one, other] = fill(first) as [Keypair, Keypair]
    const built = first.build(one, [pay(other, "1")])
    first.submit(built)
    first.network.close()
    const second = open()
    expect(second.network.pendingCount()).toBe(0)
    expect(second.submit(built).status).toBe("PENDING")
  })
})

describe("a kill while a ledger is being written", () => {
  test("at any byte of it reopens to the ledger before, and the file goes on from there", () => {
    const tools = open()
    const accounts = fill(tools)
    const [one, other] = accounts as [Keypair, Keypair]
    const before = visible(tools, accounts)
    const whole = statSync(file).size
    tools.run(one, [pay(other, "7")])
    const after = visible(tools, accounts)
    const grown = statSync(file).size
    tools.network.close()
    expect(grown).toBeGreaterThan(whole)
    const copy = join(directory, "copy")
    for (let length = whole; length < grown; length++) {
      copyFileSync(file, copy)
      truncateSync(copy, length)
      const torn = open(copy)
      expect(visible(torn, accounts)).toBe(before)
      torn.network.close()
      expect(statSync(copy).size).toBe(whole)
    }
    expect(visible(open(file), accounts)).toBe(after)
    // Some hundred networks are opened, each from disk: a loaded machine takes its time.
  }, 60_000)

  test("at any byte of the first record starts a new network", () => {
    const tools = open()
    tools.network.close()
    const bytes = readFileSync(file)
    for (const length of [0, 1, 7, 8, 9, 19, 20, 40]) {
      writeFileSync(file, bytes.subarray(0, length))
      const again = open()
      // The test network closes ledger 2 when it finds only genesis.
      expect(again.network.latest().sequence).toBe(2)
      again.network.close()
    }
  })

  test("zeros at the end, as a power cut may leave them, are a torn tail", () => {
    const tools = open()
    const accounts = fill(tools)
    const before = visible(tools, accounts)
    tools.network.close()
    appendFileSync(file, Buffer.alloc(4096))
    expect(visible(open(), accounts)).toBe(before)
  })
})

describe("refusals, each one sentence", () => {
  test("a byte flipped anywhere before the end", () => {
    const tools = open()
    fill(tools)
    tools.network.close()
    const bytes = readFileSync(file)
    // The magic number, a length, a checksum of a length, payloads early and late.
    for (const at of [
      0,
      12,
      17,
      25,
      100,
      Math.floor(bytes.length / 2),
      bytes.length - 100,
      bytes.length - 1,
    ]) {
      const damaged = Buffer.from(bytes)
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x40, at)
      writeFileSync(file, damaged)
      expect(() => open()).toThrow(/is damaged at byte \d+|is not a ledger file/)
    }
    writeFileSync(file, bytes)
    expect(() => open()).not.toThrow()
  })

  test("ledgers that replay to another hash: they were closed by other rules", () => {
    const tools = open()
    fill(tools)
    tools.network.close()
    const records: ReadonlyArray<FileRecord> = scan(readFileSync(file), file).records
    const last = records.findLastIndex(({ kind }) => kind === RecordKind.ledger)
    const payload = Buffer.from(records[last]?.payload ?? [])
    // Close time and base fee, then the hash that the replay has to arrive at.
    payload.writeUInt8(payload.readUInt8(16) ^ 1, 16)
    const changed = records.with(last, { kind: RecordKind.ledger, payload })
    writeFileSync(file, Buffer.concat([MAGIC, ...changed.map(encodeRecord)]))
    expect(() => open()).toThrow("was written by a version with other rules")
  })

  test("a file that is something else is left alone", () => {
    writeFileSync(file, "dear diary")
    expect(() => open()).toThrow("is not a ledger file")
    expect(readFileSync(file, "utf8")).toBe("dear diary")
  })

  test("a file of another passphrase", () => {
    open().network.close()
    expect(() => open(file, { passphrase: "Another network" })).toThrow(
      `belongs to the network "${PASSPHRASE}", not to "Another network"`,
    )
  })

  test("a path that cannot be written", () => {
    writeFileSync(file, "")
    expect(() => open(join(file, "below"))).toThrow(/^The ledger file .* cannot be used: .*\.$/)
    expect(() => open(directory)).toThrow(/^The ledger file .* cannot be used: .*\.$/)
  })

  test("a ledger that could not be written down is never shown, and nothing is shown after it", () => {
    const tools = open()
    const [one, other] = fill(tools) as [Keypair, Keypair]
    const before = tools.network.latest()
    const built = tools.build(one, [pay(other, "1")])
    tools.submit(built)
    // The file is taken away from under the network: what a failing disk does.
    tools.network.close()
    expect(() => tools.close()).toThrow("cannot be used")
    expect(tools.network.latest()).toBe(before)
    expect(tools.network.transaction(built.hash)).toBeUndefined()
    expect(() => tools.network.entry(accountKeyOf(one))).toThrow("the network has stopped")
    expect(() => tools.submit(built)).toThrow("the network has stopped")
    expect(() => tools.close()).toThrow("the network has stopped")
    expect(open().network.latest().hash).toBe(before.hash)
  })

  test("a second opener, in this process or another", async () => {
    open()
    expect(() => open()).toThrow("is in use by another process")
    const module = JSON.stringify(join(import.meta.dir, "../../layers/localnet/LocalNetwork.ts"))
    const script = `import { openNetwork } from ${module}
      try { openNetwork({ settings: { passphrase: ${JSON.stringify(PASSPHRASE)} }, now: () => 0, ledgerFile: ${JSON.stringify(file)} }) }
      catch (error) { console.log(error.message) }`
    const other = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" })
    expect(await new Response(other.stdout).text()).toContain("is in use by another process")
    await other.exited
  })
})

describe("a long life", () => {
  /** A checkpoint every so many ledgers, and a rewrite at every checkpoint or at none. */
  const limits = (checkpointAfterLedgers: number, rewriteAfterBytes: number) => ({
    settings: { passphrase: PASSPHRASE, retentionLedgers: 100 },
    now: () => 0,
    ledgerFile: file,
    friendbotHelpers: 0,
    ledgerFileLimits: { checkpointAfterLedgers, rewriteAfterBytes },
  })

  for (const [name, rewriteAfterBytes] of [
    ["checkpoints", 1e9],
    ["rewrites", -1e9],
  ] as const) {
    test(`${name} on the way change nothing of what is shown`, () => {
      const tools = open()
      const accounts = fill(tools)
      const [one, other] = accounts as [Keypair, Keypair]
      tools.network.close()
      const seen: Array<string> = []
      for (let round = 0; round < 4; round++) {
        const network = openNetwork(limits(3, rewriteAfterBytes))
        const again = { ...tools, network }
        if (seen.length > 0) expect(visible(again, accounts)).toBe(seen.at(-1) ?? "")
        const { seqNum } = accountIn(network, one)
        network.submit(buildOn(network, one, [pay(other, "1")], { sequence: seqNum + 1n }).envelopeXdr)
        // Each round ends elsewhere between two checkpoints, and with another number of empty ledgers.
        for (let at = 0; at < 4 + round; at++) network.closeLedger(0)
        seen.push(visible(again, accounts))
        network.close()
      }
      expect(visible(open(file, { retentionLedgers: 100 }), accounts)).toBe(seen.at(-1) ?? "")
    })
  }

  test("a checkpoint that was being written when the process died is written off", () => {
    const network = openNetwork(limits(1000, 1e9))
    const before = statSync(file).size
    for (let at = 0; at < 20; at++) network.closeLedger(0)
    const { hash } = network.latest()
    network.close()
    const end = statSync(file).size
    const checkpointed = openNetwork(limits(21, 1e9))
    checkpointed.closeLedger(0)
    const after = checkpointed.latest().hash
    checkpointed.close()
    const whole = readFileSync(file)
    expect(whole.length).toBeGreaterThan(end + 24)
    expect(end - before).toBe(20 * 24)
    for (let length = end; length < whole.length; length += 7) {
      writeFileSync(file, whole.subarray(0, length))
      const torn = openNetwork(limits(1000, 1e9))
      expect(torn.latest().hash).toBe(length < end + 24 ? hash : after)
      torn.close()
    }
  })

  test("more ledgers between two checkpoints than are retained leave no gap", () => {
    const network = openNetwork(limits(150, 1e9))
    for (let at = 0; at < 500; at++) network.closeLedger(0)
    const { sequence } = network.latest()
    network.close()
    const again = openNetwork({
      ...limits(150, 1e9),
      settings: { passphrase: PASSPHRASE, retentionLedgers: 1000 },
    })
    for (let at = again.oldestLedger(); at <= sequence; at++)
      expect(again.ledger(at)?.header.ledgerSeq).toBe(at)
    again.close()
  })

  test("an empty ledger takes 24 bytes", () => {
    // Kind, length and their checksum (12), close time (8), checksum (4).
    const tools = open()
    const before = statSync(file).size
    for (let at = 0; at < 50; at++) tools.close(1)
    expect(statSync(file).size - before).toBe(50 * 24)
  })

  test("a file that is rewritten stays small, and reopens to the same end", () => {
    const network = openNetwork(limits(500, 0))
    for (let at = 0; at < 3000; at++) network.closeLedger(at)
    const { hash, sequence } = network.latest()
    network.close()
    // 24 bytes for each ledger, had nothing been left behind.
    expect(statSync(file).size).toBeLessThan(3000 * 24)
    const again = openNetwork(limits(500, 0))
    expect(again.latest()).toMatchObject({ hash, sequence })
    expect(again.oldestLedger()).toBe(sequence - 99)
    again.close()
  })

  test("a left-over of an interrupted rewrite is cleared away", () => {
    open().network.close()
    writeFileSync(`${file}.new`, "half")
    open()
    expect(existsSync(`${file}.new`)).toBe(false)
  })
})

test("a process killed with SIGKILL loses no ledger that it has shown", async () => {
  const module = JSON.stringify(join(import.meta.dir, "../../layers/localnet/LocalNetwork.ts"))
  const script = `import { openNetwork } from ${module}
    const network = openNetwork({ settings: { passphrase: ${JSON.stringify(PASSPHRASE)} }, now: () => 0, ledgerFile: ${JSON.stringify(file)} })
    for (let at = 0; ; at++) { const { sequence, hash } = network.closeLedger(at); console.log(sequence + " " + hash) }`
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" })
  const lines: Array<string> = []
  const decoder = new TextDecoder()
  let rest = ""
  for await (const chunk of child.stdout) {
    const text = rest + decoder.decode(chunk)
    const parts = text.split("\n")
    rest = parts.pop() ?? ""
    lines.push(...parts)
    if (lines.length > 20) child.kill("SIGKILL")
  }
  await child.exited
  const [sequence, hash] = (lines.at(-1) ?? "").split(" ")
  const network = openNetwork({ settings: { passphrase: PASSPHRASE }, now: () => 0, ledgerFile: file })
  expect(network.ledger(Number(sequence))?.hash).toBe(hash ?? "none")
  network.close()
})
