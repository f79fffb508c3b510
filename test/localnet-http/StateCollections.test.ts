import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import {
  Asset,
  AuthClawbackEnabledFlag,
  type AuthFlag,
  AuthRevocableFlag,
  Claimant,
  type Keypair,
  Operation,
} from "@stellar/stellar-sdk"
import { type Harness, problemOf, startHarness } from "./Harness.ts"

/** What is not history but stands in the ledger: claimable balances and assets, by the official SDK. */
describe("claimable balances and assets", () => {
  let net: Harness
  let issuer: Keypair
  let holder: Keypair
  let taker: Keypair
  let nova: Asset
  const ids: Array<string> = []

  const give = async (from: Keypair, asset: Asset, amount: string, ...to: ReadonlyArray<Claimant>) => {
    const create = Operation.createClaimableBalance({ asset, amount, claimants: [...to] })
    const transaction = await net.build(from, [create])
    await net.submit(transaction)
    return transaction.getClaimableBalanceId(0)
  }

  beforeAll(async () => {
    net = await startHarness()
    issuer = await net.fund()
    holder = await net.fund()
    taker = await net.fund()
    nova = new Asset("NOVA", issuer.publicKey())
    const setFlags = (AuthRevocableFlag | AuthClawbackEnabledFlag) as AuthFlag
    await net.apply(issuer, [Operation.setOptions({ setFlags, homeDomain: "nova.example" })])
    await net.apply(holder, [Operation.changeTrust({ asset: nova })])
    const pay = Operation.payment({ destination: holder.publicKey(), asset: nova, amount: "100" })
    await net.apply(issuer, [pay])
    const any = new Claimant(taker.publicKey())
    ids.push(await give(holder, nova, "10", any))
    ids.push(await give(holder, nova, "20", any, new Claimant(issuer.publicKey())))
    ids.push(await give(holder, Asset.native(), "3", new Claimant(holder.publicKey())))
  })
  afterAll(() => net.stop())

  const idsOf = (page: { readonly records: ReadonlyArray<{ readonly id: string }> }) =>
    page.records.map(({ id }) => id)

  test("one by its id, with its claimants, sponsor and clawback flag", async () => {
    const shown = await net.horizon
      .claimableBalances()
      .claimableBalance(ids[1] ?? "")
      .call()
    expect(shown).toMatchObject({
      id: ids[1],
      asset: `NOVA:${issuer.publicKey()}`,
      amount: "20.0000000",
      // CAP-33: whoever creates it pays its reserve. CAP-35: the line's clawback flag goes over to the balance.
      sponsor: holder.publicKey(),
      claimants: [taker, issuer].map((keys) => ({
        destination: keys.publicKey(),
        predicate: { unconditional: true },
      })),
      flags: { clawback_enabled: true },
      paging_token: `${shown.last_modified_ledger}-${ids[1]}`,
    })
  })

  test("listed in the order of their ledgers, both ways, page by page", async () => {
    const all = () => net.horizon.claimableBalances()
    expect(idsOf(await all().call())).toEqual(ids)
    expect(idsOf(await all().order("desc").call())).toEqual(ids.toReversed())
    const first = await all().limit(2).call()
    expect(idsOf(first)).toEqual(ids.slice(0, 2))
    const second = await first.next()
    expect(idsOf(second)).toEqual(ids.slice(2))
    expect(idsOf(await second.prev())).toEqual(ids.slice(0, 2).toReversed())
  })

  test("filtered by asset, claimant and sponsor", async () => {
    const all = () => net.horizon.claimableBalances()
    expect(idsOf(await all().asset(Asset.native()).call())).toEqual(ids.slice(2))
    expect(idsOf(await all().asset(nova).call())).toEqual(ids.slice(0, 2))
    expect(idsOf(await all().claimant(issuer.publicKey()).call())).toEqual(ids.slice(1, 2))
    expect(idsOf(await all().sponsor(holder.publicKey()).asset(nova).call())).toEqual(ids.slice(0, 2))
    expect(idsOf(await all().sponsor(taker.publicKey()).call())).toEqual([])
  })

  test("an asset counts lines, balances and what waits to be claimed", async () => {
    const { records } = await net.horizon.assets().forCode("NOVA").forIssuer(issuer.publicKey()).call()
    expect(records).toHaveLength(1)
    // 100 were issued, 30 of them wait.
    expect(records[0]).toMatchObject({
      asset_type: "credit_alphanum4",
      asset_code: "NOVA",
      asset_issuer: issuer.publicKey(),
      paging_token: `NOVA_${issuer.publicKey()}_credit_alphanum4`,
      accounts: { authorized: 1, authorized_to_maintain_liabilities: 0, unauthorized: 0 },
      balances: { authorized: "70.0000000", unauthorized: "0.0000000" },
      num_claimable_balances: 2,
      claimable_balances_amount: "30.0000000",
      flags: { auth_required: false, auth_revocable: true, auth_clawback_enabled: true },
      _links: { toml: { href: "https://nova.example/.well-known/stellar.toml" } },
    })
  })

  test("a frozen line is told apart; assets come by code, then issuer", async () => {
    const [nova2, long] = ["NOVA2", "NOVALONGER"].map((code) => new Asset(code, issuer.publicKey()))
    if (nova2 === undefined || long === undefined) throw new Error("no assets")
    await net.apply(taker, [Operation.changeTrust({ asset: nova2 }), Operation.changeTrust({ asset: long })])
    const freeze = Operation.setTrustLineFlags({
      trustor: taker.publicKey(),
      asset: nova2,
      flags: { authorized: false },
    })
    await net.apply(issuer, [freeze])
    const { records } = await net.horizon.assets().limit(2).call()
    expect(records.map(({ asset_code }) => asset_code)).toEqual(["NOVA", "NOVA2"])
    expect(records[1]?.accounts).toMatchObject({ authorized: 0, unauthorized: 1 })
    const desc = await net.horizon.assets().order("desc").call()
    expect(desc.records.map(({ asset_code }) => asset_code)).toEqual(["NOVALONGER", "NOVA2", "NOVA"])
    const after = await net.horizon
      .assets()
      .cursor(records[0]?.paging_token ?? "")
      .call()
    expect(after.records.map(({ asset_code }) => asset_code)).toEqual(["NOVA2", "NOVALONGER"])
  })

  test("claimed, it is gone: 404", async () => {
    await net.apply(holder, [Operation.claimClaimableBalance({ balanceId: ids[2] ?? "" })])
    const problem = await problemOf(
      net.horizon
        .claimableBalances()
        .claimableBalance(ids[2] ?? "")
        .call(),
    )
    expect(problem.status).toBe(404)
  })

  test("bad parameters name the field", async () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["/claimable_balances?sponsor=G", "sponsor"],
      ["/claimable_balances?claimant=x", "claimant"],
      ["/claimable_balances?asset=NOVA", "asset"],
      ["/claimable_balances?cursor=7", "cursor"],
      ["/claimable_balances?limit=201", "limit"],
      ["/claimable_balances/abc", "id"],
      ["/assets?asset_code=TOOLONGFORACODE", "asset_code"],
      ["/assets?asset_issuer=G", "asset_issuer"],
      ["/assets?cursor=7", "cursor"],
      ["/assets?order=up", "order"],
    ]
    for (const [path, field] of cases) {
      const response = await fetch(net.server.url + path)
      const { extras } = (await response.json()) as { extras?: { invalid_field?: string } }
      expect([path, response.status, extras?.invalid_field]).toEqual([path, 400, field])
    }
  })
})
