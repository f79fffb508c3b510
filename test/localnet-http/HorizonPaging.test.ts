import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Asset, Keypair, Operation } from "@stellar/stellar-sdk"
import { codesOf, type Harness, problemOf, startHarness } from "./Harness.ts"

interface Row {
  readonly id: string
  readonly paging_token: string
}

describe("Horizon's collections", () => {
  let net: Harness
  let issuer: Keypair
  let wallet: Keypair
  const payments = 23

  beforeAll(async () => {
    net = await startHarness()
    issuer = await net.fund()
    wallet = await net.fund()
    const asset = new Asset("NOVA", issuer.publicKey())
    await net.apply(wallet, [Operation.changeTrust({ asset })])
    const pay = (amount: number) =>
      Operation.payment({ destination: wallet.publicKey(), asset, amount: String(amount) })
    const amounts = Array.from({ length: payments }, (_, index) => index + 1)
    // Ten operations in each transaction, so that pages end in the middle of one.
    for (let from = 0; from < payments; from += 10) {
      await net.apply(issuer, amounts.slice(from, from + 10).map(pay))
    }
    const lost = Operation.payment({ destination: Keypair.random().publicKey(), asset, amount: "1" })
    await codesOf(net.apply(issuer, [lost]))
  })
  afterAll(() => net.stop())

  const paidAmounts = (records: ReadonlyArray<unknown>) =>
    records.map((record) => Number((record as { amount: string }).amount))

  test("forwards by `next`: every payment once, in order", async () => {
    const seen: Array<number> = []
    let page = await net.horizon.payments().forAccount(wallet.publicKey()).limit(4).call()
    // The first record is the account's creation.
    expect(page.records[0]).toMatchObject({ type: "create_account", account: wallet.publicKey() })
    while (page.records.length > 0) {
      seen.push(...paidAmounts(page.records.filter(({ type }) => type === "payment")))
      page = await page.next()
    }
    expect(seen).toEqual(Array.from({ length: payments }, (_, index) => index + 1))
  })

  test("backwards by `order=desc`, and back again by `prev`", async () => {
    const newest = net.horizon.payments().forAccount(wallet.publicKey()).order("desc").limit(5)
    const first = await newest.call()
    expect(paidAmounts(first.records)).toEqual([23, 22, 21, 20, 19])
    const second = await first.next()
    expect(paidAmounts(second.records)).toEqual([18, 17, 16, 15, 14])
    // `prev` runs the other way from the first record: 19 to 23, ascending.
    const back = await second.prev()
    expect(paidAmounts(back.records)).toEqual([19, 20, 21, 22, 23])
  })

  test("links carry cursor, limit, order and the other parameters", async () => {
    const url = `${net.server.url}/accounts/${issuer.publicKey()}/transactions?include_failed=true&limit=2&order=desc`
    const page = (await (await fetch(url)).json()) as {
      _links: { self: { href: string }; next: { href: string }; prev: { href: string } }
      _embedded: { records: ReadonlyArray<Row> }
    }
    const { records } = page._embedded
    const base = `${net.server.url}/accounts/${issuer.publicKey()}/transactions`
    // hal.Page.PopulateLinks: the query is written in alphabetical order.
    expect(page._links.self.href).toBe(`${base}?cursor=&include_failed=true&limit=2&order=desc`)
    expect(page._links.next.href).toBe(
      `${base}?cursor=${records[1]?.paging_token}&include_failed=true&limit=2&order=desc`,
    )
    expect(page._links.prev.href).toBe(
      `${base}?cursor=${records[0]?.paging_token}&include_failed=true&limit=2&order=asc`,
    )
  })

  test("failed transactions are left out unless asked for", async () => {
    const list = () => net.horizon.transactions().forAccount(issuer.publicKey()).order("desc").limit(1)
    const [newest] = (await list().call()).records
    expect(newest?.successful).toBe(true)
    const [failed] = (await list().includeFailed(true).call()).records
    expect(failed?.successful).toBe(false)
    // The operations of one transaction are shown even if it failed (actions/operation.go).
    const { records } = await net.horizon
      .operations()
      .forTransaction(failed?.hash ?? "")
      .call()
    expect(records).toMatchObject([{ type: "payment", transaction_successful: false }])
    const payments = await net.horizon.payments().forAccount(issuer.publicKey()).order("desc").limit(1).call()
    expect(payments.records[0]).toMatchObject({ transaction_successful: true })
  })

  test("an operation's id is its TOID; it is found by it, and so is its transaction", async () => {
    const { records } = await net.horizon
      .payments()
      .forAccount(wallet.publicKey())
      .order("desc")
      .limit(1)
      .call()
    const id = records[0]?.id ?? ""
    const operation = await net.horizon.operations().operation(id).call()
    expect(operation).toMatchObject({ id, type: "payment", amount: "23.0000000" })
    const transaction = net.network.transaction(operation.transaction_hash)
    // 23 = 10 + 10 + 3: the third operation of the third transaction.
    expect(BigInt(id)).toBe(
      (BigInt(transaction?.ledger ?? 0) << 32n) | (BigInt(transaction?.applicationOrder ?? 0) << 12n) | 3n,
    )
    const joined = await net.horizon
      .operations()
      .forAccount(wallet.publicKey())
      .join("transactions")
      .limit(1)
      .call()
    const embedded = await joined.records[0]?.transaction()
    expect(embedded?.hash).toBe(joined.records[0]?.transaction_hash as string)
  })

  test("ledgers, and what is in one", async () => {
    const transaction = (
      await net.horizon.transactions().forAccount(wallet.publicKey()).order("desc").limit(1).call()
    ).records[0]
    const sequence = transaction?.ledger_attr ?? 0
    const ledger = await net.horizon.ledgers().ledger(sequence).call()
    expect(ledger).toMatchObject({
      sequence,
      successful_transaction_count: 1,
      failed_transaction_count: 0,
      operation_count: 3,
    })
    const inLedger = await net.horizon.transactions().forLedger(sequence).call()
    expect(inLedger.records.map(({ hash }) => hash)).toEqual([transaction?.hash ?? ""])
    expect(paidAmounts((await net.horizon.payments().forLedger(sequence).call()).records)).toEqual([
      21, 22, 23,
    ])
    const page = await net.horizon.ledgers().order("desc").limit(2).call()
    const latest = net.network.latest().sequence
    expect(page.records.map((one) => one.sequence)).toEqual([latest, latest - 1])
    expect((await page.next()).records.map((one) => one.sequence)).toEqual([latest - 2, latest - 3])
  })

  test("all operations and transactions, in both directions, are each other's reverse", async () => {
    const all = async (order: "asc" | "desc") => {
      const ids: Array<string> = []
      let page = await net.horizon.operations().includeFailed(true).order(order).limit(7).call()
      while (page.records.length > 0) {
        ids.push(...page.records.map(({ id }) => id))
        page = await page.next()
      }
      return ids
    }
    const ascending = await all("asc")
    expect(ascending.length).toBeGreaterThan(payments)
    expect((await all("desc")).toReversed()).toEqual(ascending)
    expect(ascending.map(BigInt)).toEqual(ascending.map(BigInt).toSorted((a, b) => (a < b ? -1 : 1)))
  })

  test("bad parameters name the field", async () => {
    const refused = async (query: string) => {
      const response = await fetch(`${net.server.url}/payments?${query}`)
      const problem = (await response.json()) as { status: number; extras: unknown }
      expect([response.status, response.headers.get("content-type")]).toEqual([
        400,
        "application/problem+json; charset=utf-8",
      ])
      return problem.extras
    }
    // actions/helpers.go getLimit, db2.NewPageQuery.
    expect(await refused("limit=201")).toEqual({
      invalid_field: "limit",
      reason: "invalid limit: value provided that is over limit max of 200",
    })
    expect(await refused("limit=0")).toMatchObject({ reason: "invalid limit: non-positive value provided" })
    expect(await refused("limit=ten")).toMatchObject({ reason: "unparseable value" })
    expect(await refused("order=up")).toEqual({ invalid_field: "order", reason: "order: invalid value" })
    expect(await refused("cursor=x")).toEqual({ invalid_field: "cursor", reason: "cursor: invalid value" })
    expect(await refused("cursor=-1")).toMatchObject({ invalid_field: "cursor" })
  })

  test("an account that never was, a hash that is none, a ledger to come: 404 or 400", async () => {
    const nobody = Keypair.random().publicKey()
    expect(await problemOf(net.horizon.loadAccount(nobody))).toMatchObject({
      status: 404,
      title: "Resource Missing",
    })
    expect(await problemOf(net.horizon.payments().forAccount(nobody).call())).toMatchObject({ status: 404 })
    expect(await problemOf(net.horizon.loadAccount("GABC"))).toMatchObject({
      status: 400,
      extras: {
        invalid_field: "account_id",
        reason: "Account ID must start with `G` and contain 56 alphanum characters",
      },
    })
    expect(await problemOf(net.horizon.transactions().transaction("ab".repeat(32)).call())).toMatchObject({
      status: 404,
    })
    expect(await problemOf(net.horizon.transactions().transaction("AB".repeat(32)).call())).toMatchObject({
      status: 400,
      extras: { invalid_field: "tx_id" },
    })
    const ahead = net.network.latest().sequence + 100
    expect(await problemOf(net.horizon.ledgers().ledger(ahead).call())).toMatchObject({ status: 404 })
  })
})

describe("a network that keeps ten ledgers", () => {
  test("410 for a descending page before history; ascending pages begin where it begins", async () => {
    const net = await startHarness({ retentionLedgers: 10 })
    try {
      const keys = await net.fund()
      for (let index = 0; index < 15; index++) await net.apply(keys, [Operation.setOptions({})])
      const oldest = net.network.oldestLedger()
      expect(oldest).toBeGreaterThan(1)
      // actions/helpers.go validateAndAdjustCursor.
      const gone = await problemOf(net.horizon.transactions().order("desc").cursor("1").call())
      expect(gone).toMatchObject({ status: 410, title: "Data Requested Is Before Recorded History" })
      const page = await net.horizon.transactions().cursor("1").limit(1).call()
      expect(page.records[0]?.ledger_attr).toBeGreaterThanOrEqual(oldest)
      expect(await problemOf(net.horizon.ledgers().ledger(1).call())).toMatchObject({ status: 410 })
      const health = await net.rpc.getHealth()
      expect(health).toMatchObject({ oldestLedger: oldest, ledgerRetentionWindow: 10 })
    } finally {
      await net.stop()
    }
  })
})
