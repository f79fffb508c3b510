import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Asset, type Horizon, type Keypair, Operation } from "@stellar/stellar-sdk"
import { type Harness, startHarness } from "./Harness.ts"

type PaymentRecord = Horizon.ServerApi.PaymentOperationRecord

/** Reads server-sent events as they are on the wire. */
const readEvents = async (url: string, headers: Record<string, string> = {}) => {
  const aborted = new AbortController()
  const response = await fetch(url, {
    headers: { accept: "text/event-stream", ...headers },
    signal: aborted.signal,
  })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = ""
  const frames = async (count: number): Promise<ReadonlyArray<string>> => {
    while (text.split("\n\n").length <= count) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value, { stream: true })
    }
    return text.split("\n\n").filter((frame) => frame !== "")
  }
  return { response, frames, stop: () => aborted.abort() }
}

describe("Horizon's streams", () => {
  let net: Harness
  let from: Keypair
  let to: Keypair
  beforeAll(async () => {
    net = await startHarness({ streamsMax: 3, streamLastsMs: 2000 })
    from = await net.fund()
    to = await net.fund()
  })
  afterAll(() => net.stop())

  const pay = (amount: number) =>
    Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount: String(amount) })

  test("the SDK's payments().stream() sees each payment once, also across the end of a stream", async () => {
    // 12 payments: a stream ends with byebye after its limit (10 by default), the SDK comes back with its cursor.
    const wanted = Array.from({ length: 12 }, (_, index) => index + 1)
    const [created] = (await net.horizon.payments().forAccount(to.publicKey()).call()).records
    const seen: Array<number> = []
    let done = () => {}
    const all = new Promise<void>((resolve) => {
      done = resolve
    })
    const close = net.horizon
      .payments()
      .forAccount(to.publicKey())
      .cursor(created?.paging_token ?? "")
      .stream({
        onmessage: (record) => {
          seen.push(Number((record as unknown as PaymentRecord).amount))
          if (seen.length === wanted.length) done()
        },
      })
    for (const amount of wanted.slice(0, 2)) await net.apply(from, [pay(amount)])
    await net.apply(from, wanted.slice(2).map(pay))
    await all
    close()
    expect(seen).toEqual(wanted)
  })

  test("frames: hello, events with their paging token as id, byebye", async () => {
    const url = `${net.server.url}/accounts/${to.publicKey()}/payments?limit=2`
    const events = await readEvents(url)
    expect(events.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8")
    const frames = await events.frames(4)
    // internal/render/sse: hello with retry 1000, goodbye with retry 10.
    expect(frames[0]).toBe('retry: 1000\nevent: open\ndata: "hello"')
    const first = /^id: (\d+)\ndata: (.*)$/.exec(frames[1] ?? "")
    expect(JSON.parse(first?.[2] ?? "")).toMatchObject({ paging_token: first?.[1], type: "create_account" })
    expect(frames[3]).toBe('retry: 10\nevent: close\ndata: "byebye"')
    expect(frames.length).toBe(4)
  })

  test("Last-Event-ID goes before the cursor of the query", async () => {
    const latest = await net.horizon.payments().forAccount(to.publicKey()).order("desc").limit(2).call()
    const [newest, before] = latest.records
    const events = await readEvents(`${net.server.url}/payments?cursor=0&limit=1`, {
      "last-event-id": before?.paging_token ?? "",
    })
    expect((await events.frames(2))[1]).toStartWith(`id: ${newest?.paging_token}\n`)
    events.stop()
  })

  test("an account's stream sends it at once, and again when it has changed", async () => {
    const events = await readEvents(`${net.server.url}/accounts/${to.publicKey()}`)
    const [, before] = await events.frames(2)
    net.close()
    await net.apply(from, [pay(5)])
    const after = (await events.frames(3))[2] ?? ""
    const balance = (frame = "") => Number(JSON.parse(frame.replace(/^data: /, "")).balances[0].balance)
    expect(balance(after) - balance(before)).toBe(5)
    events.stop()
  })

  test("a stream ends after its time, as Horizon's do", async () => {
    const short = await startHarness({ streamLastsMs: 50 })
    try {
      const events = await readEvents(`${short.server.url}/ledgers?cursor=now`)
      expect(await events.frames(9)).toEqual([
        'retry: 1000\nevent: open\ndata: "hello"',
        'retry: 10\nevent: close\ndata: "byebye"',
      ])
    } finally {
      await short.stop()
    }
  })

  test("streams are bounded: one too many is a 503, and an ended one makes room", async () => {
    const short = await startHarness({ streamsMax: 2 })
    try {
      const open = () => readEvents(`${short.server.url}/ledgers?cursor=now`)
      const [one, two, three] = [await open(), await open(), await open()]
      expect([one, two, three].map(({ response }) => response.status)).toEqual([200, 200, 503])
      expect(JSON.parse((await three.frames(1)).join(""))).toMatchObject({ title: "Server Over Capacity" })
      await one.frames(1)
      one.stop()
      let status = 503
      for (let tries = 0; status === 503 && tries < 100; tries++) {
        await Bun.sleep(5)
        const again = await open()
        status = again.response.status
        again.stop()
      }
      expect(status).toBe(200)
    } finally {
      await short.stop()
    }
  })

  test("a problem before the first event is an ordinary answer", async () => {
    const gone = await readEvents(`${net.server.url}/payments?limit=0`)
    expect(gone.response.status).toBe(400)
    const single = await readEvents(`${net.server.url}/fee_stats`)
    expect(single.response.status).toBe(406)
  })

  test("stopping the server says goodbye to streams", async () => {
    const short = await startHarness()
    const events = await readEvents(`${short.server.url}/ledgers?cursor=now`)
    await events.frames(1)
    const stopped = short.stop()
    expect((await events.frames(2))[1]).toBe('retry: 10\nevent: close\ndata: "byebye"')
    await stopped
  })
})
