import { describe, expect, test } from "bun:test"
import { Horizon, Keypair } from "@stellar/stellar-sdk"
import { openEventStream } from "../../layers/localnet/http/EventStream.ts"
import { startLocalnetServer } from "../../layers/localnet/LocalnetServer.ts"
import { type Harness, startHarness } from "./Harness.ts"

const withHarness = async (run: (net: Harness) => Promise<void>) => {
  const net = await startHarness()
  try {
    await run(net)
  } finally {
    await net.stop()
  }
}

const until = async (isDone: () => boolean) => {
  while (!isDone()) await Bun.sleep(1)
}

describe("the server of the local network", () => {
  test("closes ledgers by its own clock, in whole seconds of the time it is given", () =>
    withHarness(async ({ network }) => {
      const now = () => 4_102_444_800_999
      const server = await startLocalnetServer({
        network,
        hostname: "127.0.0.1",
        port: 0,
        closeIntervalMs: 10,
        now,
      })
      const before = network.latest().sequence
      await until(() => network.latest().sequence > before)
      const first = network.ledger(before + 1)
      // 2100-01-01T00:00:00.999Z; a later ledger's time is at least a second above it.
      expect(first?.closeTime).toBe(4_102_444_800)
      await server.stop()
      const stopped = network.latest().sequence
      await Bun.sleep(40)
      expect(network.latest().sequence).toBe(stopped)
    }))

  test("friendbot and submissions are answered by the ledger that includes them", () =>
    withHarness(async ({ network }) => {
      const server = await startLocalnetServer({
        network,
        hostname: "127.0.0.1",
        port: 0,
        closeIntervalMs: 20,
      })
      const horizon = new Horizon.Server(server.url, { allowHttp: true })
      const given = (await horizon.friendbot(Keypair.random().publicKey()).call()) as unknown as {
        ledger_attr: number
      }
      expect(network.ledger(given.ledger_attr)?.transactions.length).toBe(1)
      await server.stop()
    }))

  test("a ledger that cannot be closed stops the clock and is reported; requests are still answered", () =>
    withHarness(async (net) => {
      const faults: Array<unknown> = []
      const broken = {
        ...net.network,
        closeLedger: () => {
          throw new Error("ENOSPC: no space left on device, write")
        },
      }
      const onFault = (fault: unknown) => faults.push(fault)
      const server = await startLocalnetServer({
        network: broken,
        hostname: "127.0.0.1",
        port: 0,
        closeIntervalMs: 5,
        onFault,
      })
      await until(() => faults.length > 0)
      await Bun.sleep(30)
      expect(faults).toEqual([new Error("ENOSPC: no space left on device, write")])
      expect((await fetch(`${server.url}/fee_stats`)).status).toBe(200)
      await server.stop()
    }))

  test("a bug in an answer is a 500 or -32603 without detail, is told of, and the server goes on", () =>
    withHarness(async (net) => {
      const defects: Array<unknown> = []
      const broken = {
        ...net.network,
        oldestLedger: () => {
          throw new Error("kaput")
        },
      }
      const onDefect = (defect: unknown) => defects.push(defect)
      const server = await startLocalnetServer({
        network: broken,
        hostname: "127.0.0.1",
        port: 0,
        closeIntervalMs: 3_600_000,
        onDefect,
      })
      const page = await fetch(`${server.url}/ledgers`)
      expect([page.status, await page.text()]).toEqual([500, expect.not.stringContaining("kaput")])
      const call = await fetch(`${server.url}/rpc`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 3, method: "getHealth" }),
      })
      expect(await call.json()).toEqual({
        jsonrpc: "2.0",
        id: 3,
        error: { code: -32603, message: "internal error" },
      })
      expect(defects).toEqual([new Error("kaput"), new Error("kaput")])
      await server.stop()
    }))

  test("a stream whose feed fails ends with an error event, and ledgers go on closing", () =>
    withHarness(async ({ network, close }) => {
      const defects: Array<unknown> = []
      let isBroken = false
      const pull = () => {
        if (isBroken) throw new Error("a bug")
        return []
      }
      const stream = openEventStream({
        network,
        feed: { limit: 5, pull },
        lastsMs: 60_000,
        onEnd: () => {},
        onDefect: (defect) => defects.push(defect),
      })
      isBroken = true
      const before = network.latest().sequence
      close()
      expect(network.latest().sequence).toBe(before + 1)
      expect(defects).toEqual([new Error("a bug")])
      expect(await new Response(stream.body).text()).toBe(
        'retry: 1000\nevent: open\ndata: "hello"\n\nevent: err\ndata: Unexpected stream error\n\n',
      )
    }))
})
