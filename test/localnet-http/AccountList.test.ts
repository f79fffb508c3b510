import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Asset, type Keypair, Operation } from "@stellar/stellar-sdk"
import { laggingView } from "../../layers/localnet/faults/LaggingView.ts"
import { accountList } from "../../layers/localnet/horizon/AccountList.ts"
import { linksOf } from "../../layers/localnet/horizon/Render.ts"
import { type Harness, problemOf, startHarness } from "./Harness.ts"

interface Page {
  readonly records: ReadonlyArray<{ readonly id: string }>
}

const idsOf = ({ records }: Page) => records.map(({ id }) => id)
const addressesOf = (...keys: ReadonlyArray<Keypair>) => keys.map((one) => one.publicKey()).sort()

/** `/accounts` by the official SDK: who signs, who trusts, who is sponsored. */
describe("account lists", () => {
  let net: Harness
  let issuer: Keypair
  let desk: Keypair
  let people: ReadonlyArray<Keypair>
  let nova: Asset

  /** Runs the operations as `sponsored`, whose reserves the desk pays (CAP-33). */
  const sponsor = (sponsored: Keypair, operation: Parameters<Harness["build"]>[1][number]) => {
    const source = sponsored.publicKey()
    const operations = [
      Operation.beginSponsoringFutureReserves({ sponsoredId: source }),
      operation,
      Operation.endSponsoringFutureReserves({ source }),
    ]
    return net.apply(desk, operations, { signers: [desk, sponsored] })
  }

  const person = (index: number): Keypair => {
    const found = people[index]
    if (found === undefined) throw new Error(`nobody is ${index}`)
    return found
  }

  beforeAll(async () => {
    net = await startHarness()
    issuer = await net.fund()
    desk = await net.fund()
    people = [await net.fund(), await net.fund(), await net.fund(), await net.fund(), await net.fund()]
    nova = new Asset("NOVA", issuer.publicKey())
    for (const one of people.slice(0, 4)) await net.apply(one, [Operation.changeTrust({ asset: nova })])
    // The same code of another issuer is another asset.
    await net.apply(person(4), [Operation.changeTrust({ asset: new Asset("NOVA", desk.publicKey()) })])
  })
  afterAll(() => net.stop())

  const trusting = () => net.horizon.accounts().forAsset(nova)

  test("by asset: who has a line, funded or not, and nobody of another issuer's", async () => {
    const pay = Operation.payment({ destination: person(0).publicKey(), asset: nova, amount: "5" })
    await net.apply(issuer, [pay])
    expect(idsOf(await trusting().call())).toEqual(addressesOf(...people.slice(0, 4)))
  })

  test("a record is the account itself, its paging token the address", async () => {
    const { records } = await trusting().limit(1).call()
    const [first = ""] = addressesOf(...people.slice(0, 4))
    const alone = (await (await fetch(`${net.server.url}/accounts/${first}`)).json()) as object
    expect(records).toHaveLength(1)
    // The SDK turns _links into functions: what is left is compared.
    const { _links, ...fields } = alone as { _links: unknown } & Record<string, unknown>
    const { data: _data, ...shown } = fields
    expect(records[0]).toMatchObject({ ...shown, id: first, paging_token: first })
  })

  test("page by page, both ways", async () => {
    const all = addressesOf(...people.slice(0, 4))
    const first = await trusting().limit(3).call()
    expect(idsOf(first)).toEqual(all.slice(0, 3))
    const second = await first.next()
    expect(idsOf(second)).toEqual(all.slice(3))
    expect(idsOf(await second.next())).toEqual([])
    expect(idsOf(await second.prev())).toEqual(all.slice(0, 3).toReversed())
    const down = await trusting().order("desc").limit(3).call()
    expect(idsOf(down)).toEqual(all.slice(1).toReversed())
    expect(idsOf(await down.next())).toEqual(all.slice(0, 1))
    const after = trusting().cursor(all[1] ?? "")
    expect(idsOf(await after.call())).toEqual(all.slice(2))
  })

  test("by signer: its own account and each that added it, until the key weighs nothing", async () => {
    const signer = person(2).publicKey()
    const signing = async () => idsOf(await net.horizon.accounts().forSigner(signer).call())
    expect(await signing()).toEqual([signer])
    const add = Operation.setOptions({ signer: { ed25519PublicKey: signer, weight: 1 } })
    await net.apply(person(3), [add])
    expect(await signing()).toEqual(addressesOf(person(2), person(3)))
    const other = { ed25519PublicKey: desk.publicKey(), weight: 1 }
    await net.apply(person(2), [Operation.setOptions({ signer: other, masterWeight: 0 })])
    expect(await signing()).toEqual(addressesOf(person(3)))
  })

  test("by sponsor: a trustline, a data entry, a signer; each account once", async () => {
    const paidFor = async () => idsOf(await net.horizon.accounts().sponsor(desk.publicKey()).call())
    expect(await paidFor()).toEqual([])
    const source = person(0).publicKey()
    await sponsor(
      person(0),
      Operation.changeTrust({ asset: new Asset("SPONSORED", issuer.publicKey()), source }),
    )
    await sponsor(person(0), Operation.manageData({ name: "a", value: "1", source }))
    expect(await paidFor()).toEqual(addressesOf(person(0)))
    await sponsor(person(1), Operation.manageData({ name: "a", value: "1", source: person(1).publicKey() }))
    expect(await paidFor()).toEqual(addressesOf(person(0), person(1)))
    const signer = { ed25519PublicKey: issuer.publicKey(), weight: 1 }
    await sponsor(person(4), Operation.setOptions({ signer, source: person(4).publicKey() }))
    expect(await paidFor()).toEqual(addressesOf(person(0), person(1), person(4)))
  })

  test("a node that lags lists what stood in the ledger that it shows", async () => {
    const asset = new Asset("LATE", issuer.publicKey())
    await net.apply(person(0), [Operation.changeTrust({ asset })])
    const listed = (behind: number) => {
      const network = { ...net.network, ...laggingView(net.network, () => behind) }
      const query = new URLSearchParams({ asset: `LATE:${issuer.publicKey()}` })
      const request = { method: "GET", path: "/accounts", query, form: new URLSearchParams() }
      const rest = { contentType: "", accept: "", lastEventId: "", baseUrl: "" }
      const answer = accountList(network, linksOf(""), { ...request, ...rest })
      if (answer.kind !== "resource") throw new Error(answer.kind)
      return idsOf((answer.body as { readonly _embedded: Page })._embedded)
    }
    expect(listed(1)).toEqual([])
    expect(listed(0)).toEqual(addressesOf(person(0)))
  })

  test("without a filter, or with two: invalid_accounts_params", async () => {
    const without = net.horizon.accounts()
    const two = net.horizon.accounts().forSigner(desk.publicKey()).sponsor(desk.publicKey())
    for (const builder of [without, two]) {
      const problem = await problemOf(builder.call())
      // actions.AccountsQuery.Validate (services/horizon/internal/actions/account.go)
      expect(problem).toMatchObject({
        type: "https://stellar.org/horizon-errors/invalid_accounts_params",
        title: "Invalid Accounts Parameters",
        status: 400,
      })
    }
  })

  test("a bad parameter is named", async () => {
    const fine = `asset=NOVA:${issuer.publicKey()}`
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["signer=G", "signer"],
      ["sponsor=x", "sponsor"],
      ["asset=NOVA", "asset"],
      ["asset=native", "asset"],
      ["asset=NOVA:G", "asset"],
      ["liquidity_pool=7", "liquidity_pool"],
      [`${fine}&limit=201`, "limit"],
      [`${fine}&order=up`, "order"],
    ]
    for (const [query, field] of cases) {
      const response = await fetch(`${net.server.url}/accounts?${query}`)
      const { extras } = (await response.json()) as { extras?: { invalid_field?: string } }
      expect([query, response.status, extras?.invalid_field]).toEqual([query, 400, field])
    }
  })
})
