import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Asset, Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { callRpc } from "../../layers/localnet/rpc/RpcDispatch.ts"
import { type Harness, PASSPHRASE, startHarness } from "./Harness.ts"

interface RpcFaultSeen {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

const rows = (value: unknown) => value as ReadonlyArray<Record<string, unknown>>

describe("Stellar RPC", () => {
  let net: Harness
  beforeAll(async () => {
    net = await startHarness()
  })
  afterAll(() => net.stop())

  const post = (body: string, headers: Record<string, string> = { "content-type": "application/json" }) =>
    fetch(`${net.server.url}/rpc`, { method: "POST", body, headers })

  const call = async (method: string, params?: unknown) => {
    const response = await post(JSON.stringify({ jsonrpc: "2.0", id: 7, method, params }))
    expect(response.status).toBe(200)
    return (await response.json()) as { id: unknown; result?: Record<string, unknown>; error?: RpcFaultSeen }
  }

  const accountKey = (address: string) =>
    xdr.LedgerKey.account(
      new xdr.LedgerKeyAccount({ accountId: Keypair.fromPublicKey(address).xdrPublicKey() }),
    ).toXdr("base64")

  test("getHealth, getNetwork, getLatestLedger, getVersionInfo", async () => {
    const latest = net.network.latest()
    expect(await net.rpc.getHealth()).toMatchObject({
      status: "healthy",
      latestLedger: latest.sequence,
      oldestLedger: 1,
    })
    expect(await net.rpc.getNetwork()).toEqual({
      passphrase: PASSPHRASE,
      protocolVersion: 27 as unknown as string,
      friendbotUrl: `${net.server.url}/friendbot`,
    })
    expect(await net.rpc.getLatestLedger()).toMatchObject({ id: latest.hash, sequence: latest.sequence })
    expect((await net.rpc.getVersionInfo()).captiveCoreVersion).toContain("no stellar-core")
  })

  test("getHealth is an error where no ledger has closed for 30 seconds", () => {
    // methods/get_health.go: latency above max-healthy-ledger-latency (30 s) is InternalError.
    const closed = net.network.latest().closeTime * 1000
    expect(callRpc(net.network, "getHealth", undefined, { now: () => closed + 30_000 })).toMatchObject({
      status: "healthy",
    })
    expect(() => callRpc(net.network, "getHealth", undefined, { now: () => closed + 31_000 })).toThrow(
      "since last known ledger closed is too high",
    )
  })

  test("numbers and strings are what the server writes", async () => {
    // protocols/rpc (Go): `json:",string"` in getHealth, getTransaction and sendTransaction; plain numbers in
    // getTransactions and getLedgers ("a bug", says its comment, kept for compatibility).
    const keys = await net.fund()
    const tx = await net.build(keys, [Operation.setOptions({})])
    const sent = await call("sendTransaction", { transaction: tx.toEnvelope().toXdr("base64") })
    expect(typeof sent.result?.latestLedgerCloseTime).toBe("string")
    expect(typeof sent.result?.latestLedger).toBe("number")
    net.close()
    const one = await call("getTransaction", { hash: Buffer.from(tx.hash()).toString("hex") })
    expect(one.result).toMatchObject({ status: "SUCCESS", createdAt: expect.stringMatching(/^\d+$/) })
    const many = await call("getTransactions", { startLedger: one.result?.ledger })
    const [first] = rows(many.result?.transactions)
    expect(typeof first?.createdAt).toBe("number")
    const ledgers = await call("getLedgers", { startLedger: one.result?.ledger })
    expect(ledgers.result).toMatchObject({ latestLedgerCloseTime: expect.any(Number) })
    const [ledger] = rows(ledgers.result?.ledgers)
    expect(typeof ledger?.ledgerCloseTime).toBe("string")
  })

  describe("getLedgerEntries", () => {
    test("in the order asked, unknown keys absent, with the ledger of which it speaks", async () => {
      const [one, two] = [await net.fund(), await net.fund()]
      const missing = Keypair.random().publicKey()
      const keys = [two.publicKey(), missing, one.publicKey()].map(accountKey)
      const { entries, latestLedger } = await net.rpc._getLedgerEntries(
        ...keys.map((key) => xdr.LedgerKey.fromXdr(key, "base64")),
      )
      expect(entries?.map((entry) => entry.key)).toEqual([keys[0], keys[2]] as Array<string>)
      expect(latestLedger).toBe(net.network.latest().sequence)
    })

    test("200 keys, not 201", async () => {
      // methods/get_ledger_entries.go: getLedgerEntriesMaxKeys = 200.
      const keys = Array.from({ length: 201 }, () => accountKey(Keypair.random().publicKey()))
      expect((await call("getLedgerEntries", { keys: keys.slice(0, 200) })).result?.entries).toEqual([])
      expect((await call("getLedgerEntries", { keys })).error).toEqual({
        code: -32602,
        message: "key count (201) exceeds maximum supported (200)",
      })
    })

    test("a key that is no XDR, and a TTL key", async () => {
      expect((await call("getLedgerEntries", { keys: ["AAAA"] })).error).toEqual({
        code: -32602,
        message: "cannot unmarshal key value AAAA at index 0",
      })
      const ttl = xdr.LedgerKey.ttl(new xdr.LedgerKeyTtl({ keyHash: new Uint8Array(32) })).toXdr("base64")
      expect((await call("getLedgerEntries", { keys: [ttl] })).error?.message).toBe(
        "ledger ttl entries cannot be queried directly",
      )
    })
  })

  describe("getTransaction", () => {
    test("an unknown hash is NOT_FOUND, with the ledgers that were searched", async () => {
      const hash = "ab".repeat(32)
      const { result } = await call("getTransaction", { hash })
      // rpc-responses/get_transaction_not_found.json: the server's zero values.
      expect(result).toMatchObject({
        status: "NOT_FOUND",
        txHash: hash,
        oldestLedger: 1,
        applicationOrder: 0,
        feeBump: false,
        ledger: 0,
        createdAt: "0",
      })
    })

    test("a hash that is none", async () => {
      // methods/get_transaction.go
      expect((await call("getTransaction", { hash: "abc" })).error).toEqual({
        code: -32602,
        message: "unexpected hash length (3)",
      })
      expect((await call("getTransaction", { hash: "z".repeat(64) })).error).toMatchObject({
        code: -32602,
        message: expect.stringContaining("incorrect hash"),
      })
    })
  })

  describe("getTransactions and getLedgers", () => {
    const count = 7
    let first = 0
    beforeAll(async () => {
      const keys = await net.fund()
      first = net.network.latest().sequence + 1
      for (let index = 0; index < count; index++) await net.apply(keys, [Operation.setOptions({})])
    })

    test("pages follow each other without gap or repetition, and the tip waits for what comes", async () => {
      const seen: Array<string> = []
      let page = await net.rpc.getTransactions({ startLedger: first, pagination: { limit: 3 } })
      while (page.transactions.length > 0) {
        seen.push(...page.transactions.map((transaction) => transaction.txHash))
        page = await net.rpc.getTransactions({ pagination: { cursor: page.cursor, limit: 3 } })
      }
      const expected: Array<string> = []
      for (let sequence = first; sequence <= net.network.latest().sequence; sequence++) {
        expected.push(...(net.network.ledger(sequence)?.transactions ?? []).map(({ hash }) => hash))
      }
      expect(expected.length).toBe(count)
      expect(seen).toEqual(expected)
      const keys = await net.fund()
      const after = await net.rpc.getTransactions({ pagination: { cursor: page.cursor } })
      expect(after.transactions.length).toBe(1)
      expect((await net.rpc.getTransactions({ pagination: { cursor: after.cursor } })).transactions).toEqual(
        [],
      )
      expect(keys).toBeDefined()
    })

    test("the cursor is the transaction's TOID with operation 1", async () => {
      // methods/get_transactions.go: toid.New(ledger, order, 1).
      const { cursor } = await net.rpc.getTransactions({ startLedger: first, pagination: { limit: 1 } })
      expect(BigInt(cursor)).toBe((BigInt(first) << 32n) | (1n << 12n) | 1n)
    })

    test("the cursor goes on over empty ledgers, and never back", async () => {
      // methods/get_transactions.go: each ledger walked sets the cursor to toid.New(ledger, 0, 1).
      const tip = (sequence: number) => String((BigInt(sequence) << 32n) | 1n)
      const from = net.network.latest().sequence
      for (let index = 0; index < 3; index++) net.close()
      const pages = async (cursor: string) => net.rpc.getTransactions({ pagination: { cursor, limit: 9 } })
      const first = await net.rpc.getTransactions({ startLedger: from })
      expect(first.cursor).toBe(tip(from + 3))
      net.close()
      expect(await pages(first.cursor)).toMatchObject({ transactions: [], cursor: tip(from + 4) })
      // Behind the tip's only transaction, and beyond the tip: the request's own cursor is the higher one.
      await net.fund()
      const after = (BigInt(net.network.latest().sequence) << 32n) | (1n << 12n) | 1n
      expect((await pages(String(after))).cursor).toBe(String(after))
      const beyond = tip(net.network.latest().sequence + 5)
      expect(await pages(beyond)).toMatchObject({ transactions: [], cursor: beyond })
    })

    test("ledgers page by sequence", async () => {
      const one = await net.rpc.getLedgers({ startLedger: first, pagination: { limit: 2 } })
      expect(one.ledgers.map(({ sequence }) => sequence)).toEqual([first, first + 1])
      expect(one.cursor).toBe(String(first + 1))
      const two = await net.rpc.getLedgers({ pagination: { cursor: one.cursor, limit: 2 } })
      expect(two.ledgers.map(({ sequence }) => sequence)).toEqual([first + 2, first + 3])
    })

    test("out of range, both a start and a cursor, a limit above 200", async () => {
      // protocol.ValidatePagination: InvalidRequest (-32600) with these words.
      const latest = net.network.latest().sequence
      expect((await call("getTransactions", { startLedger: latest + 1 })).error).toEqual({
        code: -32600,
        message: `start ledger (${latest + 1}) must be between the oldest ledger: 1 and the latest ledger: ${latest} for this rpc instance`,
      })
      const both = { startLedger: 2, pagination: { cursor: "1" } }
      expect((await call("getLedgers", both)).error).toEqual({
        code: -32600,
        message: "startLedger (2) and cursor (1) cannot both be set",
      })
      expect((await call("getLedgers", { startLedger: 2, pagination: { limit: 201 } })).error).toEqual({
        code: -32600,
        message: "limit must not exceed 200",
      })
      expect((await call("getTransactions", { pagination: { cursor: "x" } })).error?.code).toBe(-32602)
    })
  })

  test("getFeeStats speaks of what was charged for an operation", async () => {
    const keys = await net.fund()
    const asset = Asset.native()
    const pay = Operation.payment({ destination: keys.publicKey(), asset, amount: "1" })
    await net.apply(keys, [pay, pay], { fee: "5000" })
    const { inclusionFee, sorobanInclusionFee, latestLedger } = await net.rpc.getFeeStats()
    // An uncontended ledger charges the base fee, whatever was offered (CAP-5).
    expect(inclusionFee).toMatchObject({ min: "100", max: "100", mode: "100", p99: "100" })
    expect(Number(inclusionFee.transactionCount)).toBeGreaterThan(1)
    expect(sorobanInclusionFee.transactionCount).toBe("0")
    expect(latestLedger).toBe(net.network.latest().sequence)
  })

  describe("JSON-RPC 2.0", () => {
    test("an unknown method, and those that this network does not have", async () => {
      for (const method of ["mockTest", "simulateTransaction", "getEvents", "toString"]) {
        // rpc-responses/soroban_rpc_error.json
        expect((await call(method, {})).error).toEqual({
          code: -32601,
          message: "method not found",
          data: method,
        })
      }
    })

    test("parameters by name only", async () => {
      // methods/handler.go: AllowArray(false).
      expect((await call("getTransaction", ["ab"])).error?.code).toBe(-32602)
      expect((await call("getTransaction", { hash: 5 })).error?.code).toBe(-32602)
    })

    test("XDR as JSON is refused, not answered as base64", async () => {
      const { error } = await call("getTransaction", { hash: "ab".repeat(32), xdrFormat: "json" })
      expect(error).toMatchObject({ code: -32602, message: expect.stringContaining("xdrFormat") })
    })

    test("batches, notifications, what is no request", async () => {
      const health = { jsonrpc: "2.0", method: "getHealth" }
      const batch = await post(JSON.stringify([{ ...health, id: "a" }, health, { ...health, id: 2 }, 5]))
      const answers = (await batch.json()) as ReadonlyArray<{ id: unknown; error?: RpcFaultSeen }>
      expect(answers.map(({ id }) => id)).toEqual(["a", 2, null])
      expect(answers[2]?.error?.code).toBe(-32600)
      expect((await post(JSON.stringify(health))).status).toBe(204)
      const broken = (await (await post("{")).json()) as { id: unknown; error: RpcFaultSeen }
      expect(broken).toMatchObject({ id: null, error: { code: -32700 } })
      expect(await (await post("[]")).json()).toMatchObject({ error: { code: -32600 } })
    })

    test("POST of application/json, and nothing else", async () => {
      // creachadair/jrpc2, jhttp.Bridge: 405 and 415.
      expect((await fetch(`${net.server.url}/rpc`)).status).toBe(405)
      expect((await post("{}", { "content-type": "text/plain" })).status).toBe(415)
    })

    test("served at /rpc, /soroban/rpc and /", async () => {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getHealth" })
      for (const path of ["/rpc", "/soroban/rpc", "/"]) {
        const headers = { "content-type": "application/json" }
        const response = await fetch(net.server.url + path, { method: "POST", body, headers })
        expect(await response.json()).toMatchObject({ result: { status: "healthy" } })
      }
    })
  })
})
