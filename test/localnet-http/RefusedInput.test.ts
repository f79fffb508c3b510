import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Asset, Keypair, Operation } from "@stellar/stellar-sdk"
import { startLocalnetServer } from "../../layers/localnet/LocalnetServer.ts"
import { type Harness, startHarness } from "./Harness.ts"

/** What real servers answer to what they will not take; the server goes on afterwards. */
describe("input that is refused", () => {
  let net: Harness
  beforeAll(async () => {
    net = await startHarness()
  })
  afterAll(async () => {
    expect((await net.rpc.getHealth()).status).toBe("healthy")
    await net.stop()
  })

  const submit = async (body: string | URLSearchParams, path = "/transactions", type?: string) => {
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type }
    const response = await fetch(net.server.url + path, { method: "POST", body, headers })
    return { status: response.status, problem: (await response.json()) as { type: string; extras?: unknown } }
  }
  const rpcError = async (transaction: unknown) => {
    const response = await fetch(`${net.server.url}/rpc`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "sendTransaction", params: { transaction } }),
    })
    return ((await response.json()) as { error?: { code: number; message: string } }).error
  }
  const signed = async () => {
    const keys = await net.fund()
    return net.build(keys, [Operation.setOptions({})])
  }

  test("what is no envelope: transaction_malformed with the text echoed; RPC invalid_xdr", async () => {
    const xdr = (await signed()).toEnvelope().toXdr("base64")
    // Nothing, too little, no base64, cut short, and with bytes left over.
    for (const tx of ["", "AAAA", "not base64 at all", xdr.slice(0, -8), `${xdr}AAAA`]) {
      for (const path of ["/transactions", "/transactions_async"]) {
        const { status, problem } = await submit(new URLSearchParams({ tx }), path)
        // actions/submit_transaction.go
        expect([status, problem.type]).toEqual([
          400,
          "https://stellar.org/horizon-errors/transaction_malformed",
        ])
      }
      // methods/send_transaction.go
      expect(await rpcError(tx)).toEqual({ code: -32602, message: "invalid_xdr" })
    }
    const { problem } = await submit(new URLSearchParams({ tx: "AAAA" }))
    expect(problem).toMatchObject({
      type: "https://stellar.org/horizon-errors/transaction_malformed",
      extras: { envelope_xdr: "AAAA" },
    })
  })

  test("random bytes are never more than malformed", async () => {
    for (let length = 0; length < 200; length += 7) {
      const tx = Buffer.from(crypto.getRandomValues(new Uint8Array(length))).toString("base64")
      expect((await submit(new URLSearchParams({ tx }))).status).toBe(400)
      expect(await rpcError(tx)).toEqual({ code: -32602, message: "invalid_xdr" })
    }
  })

  test("a body of another kind: 415", async () => {
    // actions/submit_transaction.go validateBodyType
    const { status, problem } = await submit("{}", "/transactions", "application/json")
    expect([status, problem.type]).toEqual([415, "https://stellar.org/horizon-errors/unsupported_media_type"])
  })

  test("a multipart form is taken", async () => {
    const form = new FormData()
    form.set("tx", (await signed()).toEnvelope().toXdr("base64"))
    const response = await fetch(`${net.server.url}/transactions_async`, { method: "POST", body: form })
    expect(response.status).toBe(201)
    net.close()
  })

  test("bodies above the limit: Horizon sees no envelope, RPC answers 500", async () => {
    // Go's MaxBytesHandler: FormValue drops the error; jhttp.Bridge reports it.
    const { status, problem } = await submit(new URLSearchParams({ tx: "A".repeat(300_000) }))
    expect([status, problem.type]).toEqual([400, "https://stellar.org/horizon-errors/transaction_malformed"])
    const response = await fetch(`${net.server.url}/rpc`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "x".repeat(600_000),
    })
    expect([response.status, await response.text()]).toEqual([500, "http: request body too large\n"])
  })

  test("a body of 9 MB is cut off", async () => {
    const body = "x".repeat(9 * 1024 * 1024)
    const answer = await fetch(`${net.server.url}/rpc`, { method: "POST", body }).then(
      (response) => response.status,
      () => "closed",
    )
    expect(["closed", 413]).toContain(answer)
  })

  test("deep JSON and wrong kinds are no crash", async () => {
    const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`
    for (const body of [deep, "null", "5", '"x"', "[[]]", '{"jsonrpc":"2.0","id":{},"method":"getHealth"}']) {
      const response = await fetch(`${net.server.url}/rpc`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      })
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ error: { code: expect.any(Number) } })
    }
  })

  test("what Horizon has and this network does not: not_implemented; what nobody has: not_found", async () => {
    const get = async (path: string) => {
      const response = await fetch(net.server.url + path)
      return [response.status, ((await response.json()) as { type: string }).type.split("/").at(-1)]
    }
    for (const path of [
      "/offers",
      "/order_book",
      "/effects",
      "/trades",
      "/liquidity_pools",
      "/paths/strict-send",
    ]) {
      expect(await get(path)).toEqual([404, "not_implemented"])
    }
    expect(await get("/nonsense")).toEqual([404, "not_found"])
    expect(await get("/accounts/%E0%A4%A/payments")).toEqual([400, "bad_request"])
    expect((await fetch(`${net.server.url}/ledgers`, { method: "DELETE" })).status).toBe(405)
  })

  test("an operation that this network does not apply is refused, as core refuses what it will not take", async () => {
    const keys = await net.fund()
    const offer = Operation.manageSellOffer({
      selling: Asset.native(),
      buying: new Asset("NOVA", keys.publicKey()),
      amount: "1",
      price: "1",
    })
    const sent = await net.rpc.sendTransaction(await net.build(keys, [offer]))
    expect(sent.status).toBe("ERROR")
    const result = sent.errorResult?.result
    if (result?.type !== "txFailed") throw new Error(`unexpected ${result?.type}`)
    expect(result.results[0]?.type).toBe("opNotSupported")
  })

  test("answers may be read from any origin", async () => {
    const origin = "https://wallet.example"
    const response = await fetch(`${net.server.url}/fee_stats`, { headers: { origin } })
    expect(response.headers.get("access-control-allow-origin")).toBe(origin)
    expect(response.headers.get("access-control-expose-headers")).toBe("Date, Latest-Ledger")
    expect(response.headers.get("latest-ledger")).toBe(String(net.network.latest().sequence))
    const preflight = await fetch(`${net.server.url}/rpc`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-client-name",
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get("access-control-allow-headers")).toBe("content-type,x-client-name")
  })

  test("a port that is taken is one clear sentence", async () => {
    const { network, server } = net
    const again = startLocalnetServer({
      network,
      hostname: "127.0.0.1",
      port: server.port,
      closeIntervalMs: 1000,
    })
    expect(again).rejects.toThrow(
      `The local network cannot listen on 127.0.0.1:${server.port}: the port is taken.`,
    )
  })

  test("a friendbot request that is abandoned leaves nothing behind", async () => {
    const aborted = new AbortController()
    const url = `${net.server.url}/friendbot?addr=${Keypair.random().publicKey()}`
    const asked = fetch(url, { signal: aborted.signal }).catch(() => "aborted")
    await Bun.sleep(20)
    aborted.abort()
    expect(await asked).toBe("aborted")
    net.close()
    expect(net.network.pendingCount()).toBe(0)
  })
})
