import { expect, test } from "bun:test"
import { Asset, Operation } from "@stellar/stellar-sdk"
import { makeHorizon } from "../../layers/localnet/horizon/Horizon.ts"
import type { EventFeed, HorizonAnswer } from "../../layers/localnet/horizon/HorizonMessage.ts"
import { nonEmptyLedgers } from "../../layers/localnet/horizon/NonEmptyLedgers.ts"
import type { Network } from "../../layers/localnet/Network.ts"
import { openTestNetwork, type TestNetwork } from "../localnet/TestNetwork.ts"

/** What a page may read beside the ledgers that it shows. */
const FEW = 10
const QUIET = 500

/** Horizon over a network that counts how many ledgers are read. */
const counting = (tools: TestNetwork) => {
  let reads = 0
  const network: Network = {
    ...tools.network,
    ledger: (sequence) => {
      reads++
      return tools.network.ledger(sequence)
    },
  }
  const horizon = makeHorizon({ network })
  const ask = (path: string, query: string, accept = "application/json") =>
    horizon.answer({
      method: "GET",
      path,
      query: new URLSearchParams(query),
      form: new URLSearchParams(),
      contentType: "",
      accept,
      lastEventId: "",
      baseUrl: "",
    })
  const since = () => {
    const count = reads
    reads = 0
    return count
  }
  return { network, ask, since }
}

const quiet = (tools: TestNetwork): void => {
  for (let at = 0; at < QUIET; at++) tools.close(1)
}

const ledgersIn = (answer: HorizonAnswer): ReadonlyArray<number> => {
  if (answer.kind !== "resource") throw new Error(answer.kind)
  const { _embedded } = answer.body as { _embedded: { records: ReadonlyArray<{ paging_token: string }> } }
  return _embedded.records.map((record) => Number(BigInt(record.paging_token) >> 32n))
}

const feedIn = (answer: HorizonAnswer): EventFeed => {
  if (answer.kind !== "stream") throw new Error(answer.kind)
  return answer.feed
}

test("a page over a long quiet reads the ledgers that it shows, whichever way it goes", async () => {
  const tools = openTestNetwork()
  tools.fundOne()
  const first = tools.network.latest().sequence
  quiet(tools)
  tools.fundOne()
  const second = tools.network.latest().sequence
  quiet(tools)
  const { ask, since } = counting(tools)
  // The first reader looks at every ledger once.
  expect(ledgersIn(await ask("/payments", "order=desc&limit=1"))).toEqual([second])
  expect(since()).toBeLessThanOrEqual(second + QUIET + FEW)
  for (const path of ["/payments", "/operations", "/transactions"]) {
    expect(ledgersIn(await ask(path, "order=desc&limit=1"))).toEqual([second])
    expect(ledgersIn(await ask(path, "order=asc"))).toEqual([first, second])
    const between = BigInt(first + 1) << 32n
    expect(ledgersIn(await ask(path, `cursor=${between}`))).toEqual([second])
    expect(ledgersIn(await ask(path, `cursor=${between}&order=desc`))).toEqual([first])
  }
  expect(since()).toBeLessThanOrEqual(12 * FEW)
  // What closes later is found, and only what is new is looked at.
  tools.fundOne()
  const third = tools.network.latest().sequence
  expect(ledgersIn(await ask("/payments", "order=desc&limit=2"))).toEqual([third, second])
  expect(since()).toBeLessThanOrEqual(FEW)
})

test("a stream with an old cursor reads no more at a close than what closed", async () => {
  const tools = openTestNetwork()
  tools.fundOne()
  // Twenty-five more ledgers with a transaction each.
  for (let at = 0; at < 25; at++) tools.fundOne()
  quiet(tools)
  const { network, ask, since } = counting(tools)
  const feed = feedIn(
    await ask("/payments", `cursor=${BigInt(tools.network.latest().sequence) << 32n}`, "text/event-stream"),
  )
  const transactions = feedIn(await ask("/transactions", "cursor=0&limit=200", "text/event-stream"))
  expect(feed.pull(feed.limit)).toEqual([])
  const seen = transactions.pull(200).length
  expect(seen).toBe(26)
  since()
  for (let at = 0; at < 5; at++) {
    tools.close(1)
    expect(feed.pull(10)).toEqual([])
    expect(transactions.pull(200 - seen)).toEqual([])
  }
  expect(since()).toBeLessThanOrEqual(5 * FEW)
  tools.fundOne()
  const id = String((BigInt(network.latest().sequence) << 32n) | (1n << 12n))
  expect(transactions.pull(10).map((event) => event.id)).toEqual([id])
  expect(transactions.pull(10)).toEqual([])
  expect(feed.pull(10).length).toBe(1)
})

test("what is filtered away in a stream is looked through once", async () => {
  const tools = openTestNetwork()
  const keys = tools.fundOne()
  const other = tools.fundOne()
  // Thirty transactions without a payment.
  for (let at = 0; at < 30; at++) tools.run(keys, [Operation.setOptions({ homeDomain: `nova${at}.example` })])
  const { ask, since } = counting(tools)
  const start = BigInt(tools.network.latest().sequence - 30) << 32n
  const feed = feedIn(
    await ask("/payments", `cursor=${(start | 0xffffffffn).toString()}`, "text/event-stream"),
  )
  expect(feed.pull(10)).toEqual([])
  since()
  for (let at = 0; at < 3; at++) {
    tools.close(1)
    expect(feed.pull(10)).toEqual([])
  }
  expect(since()).toBeLessThanOrEqual(3 * FEW)
  tools.run(other, [Operation.payment({ destination: keys.publicKey(), asset: Asset.native(), amount: "1" })])
  expect(feed.pull(10).length).toBe(1)
})

test("a cursor beyond the tip stays beyond it", async () => {
  const tools = openTestNetwork()
  const { ask } = counting(tools)
  const beyond = BigInt(tools.network.latest().sequence + 3) << 32n
  const feed = feedIn(await ask("/payments", `cursor=${beyond}`, "text/event-stream"))
  expect(feed.pull(10)).toEqual([])
  tools.fundOne()
  expect(feed.pull(10)).toEqual([])
  tools.close()
  tools.fundOne()
  expect(feed.pull(10).length).toBe(1)
})

test("ledgers out of retention, and those that a lagging view does not show, are left out", () => {
  const tools = openTestNetwork({ retentionLedgers: 8 })
  let shown = Number.POSITIVE_INFINITY
  const network: Network = {
    ...tools.network,
    latest: () => {
      const latest = tools.network.latest()
      return latest.sequence <= shown ? latest : (tools.network.ledger(shown) ?? latest)
    },
  }
  for (let at = 0; at < 20; at++) tools.fundOne()
  const last = tools.network.latest().sequence
  const retained = Array.from({ length: 8 }, (_, at) => last - 7 + at)
  expect([...nonEmptyLedgers(network, "asc", 0)]).toEqual(retained)
  expect([...nonEmptyLedgers(network, "desc", last + 9)]).toEqual(retained.toReversed())
  shown = last - 2
  expect([...nonEmptyLedgers(network, "asc", last - 4)]).toEqual([last - 4, last - 3, last - 2])
  expect([...nonEmptyLedgers(network, "desc", last)][0]).toBe(last - 2)
  shown = Number.POSITIVE_INFINITY
  expect([...nonEmptyLedgers(network, "desc", last)][0]).toBe(last)
})
