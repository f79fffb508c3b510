/**
 * Accepting measured: together beside one by one, on the same durable PostgreSQL, in turns, so that the ratio holds
 * where the absolute figures do not. In one process without HTTP: what is compared is the transaction.
 */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import type { Acceptance } from "../../src/issuance/Acceptance.ts"
import { AcceptRewards } from "../../src/issuance/AcceptRewards.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import type { Owner } from "../../src/merchant/Owner.ts"
import { hardware, hardwareTable } from "../Hardware.ts"
import { clientOf, freshDatabase, openGround } from "../settle/Ground.ts"
import { percentile } from "../settle/Percentile.ts"
import { openShop } from "../settle/Rows.ts"
import { number, type Row, table } from "../Table.ts"

export interface AcceptBenchOptions {
  /** Milliseconds that each way is measured in each round. */
  readonly roundMs: number
  readonly rounds: number
  /** Clients that send one request after the other. */
  readonly clients: number
  /** Campaigns in the second load; the first has one. */
  readonly campaigns: number
}

export const FULL: AcceptBenchOptions = { roundMs: 5000, rounds: 5, clients: 128, campaigns: 50 }
/** A look; its figures are noisy. */
export const QUICK: AcceptBenchOptions = { roundMs: 500, rounds: 1, clients: 64, campaigns: 10 }

const WALLET = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF"

interface Shop {
  readonly owner: Owner
  readonly campaignId: string
}

/** One request, by one of the ways; `number` makes its key. */
type Way = (shop: Shop, number: number) => Effect.Effect<unknown, unknown>

const services = (url: string) =>
  Layer.mergeAll(Issuances.layer, AcceptRewards.layer).pipe(
    Layer.provideMerge(Campaigns.layer),
    Layer.provideMerge(Layer.mergeAll(clientOf(url), SecureRandom.layerWebCrypto)),
  )

const requestFor = ({ campaignId }: Shop, key: number) => ({
  idempotencyKey: `bench-${key}`,
  walletAddress: WALLET,
  amountStroops: 1n,
  campaignId,
})

/** Requests answered a second by the clients together. */
const perSecond = Effect.fnUntraced(function* (
  way: Way,
  shops: ReadonlyArray<Shop>,
  next: () => number,
  { clients, roundMs }: AcceptBenchOptions,
) {
  const startedAtMs = performance.now()
  let answered = 0
  const client = Effect.gen(function* () {
    while (performance.now() - startedAtMs < roundMs) {
      const key = next()
      const shop = shops[key % shops.length]
      if (shop !== undefined) yield* way(shop, key)
      answered++
    }
  })
  yield* Effect.all(
    Array.from({ length: clients }, () => client),
    { concurrency: "unbounded" },
  )
  return (answered * 1000) / (performance.now() - startedAtMs)
})

const makeWays = Effect.gen(function* () {
  const issuances = yield* Issuances
  const { accept } = yield* AcceptRewards
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE bare_rows (key text PRIMARY KEY)`
  const alone = (shop: Shop, key: number): Acceptance => ({
    owner: shop.owner,
    request: requestFor(shop, key),
    priorityDefault: "normal",
    id: `iss_${String(key).padStart(26, "0")}`,
    at: new Date(),
    traceContext: null,
  })
  return {
    together: ((shop, key) => issuances.issue(shop.owner, requestFor(shop, key))) satisfies Way,
    one_by_one: ((shop, key) => accept([alone(shop, key)])) satisfies Way,
    bare_insert: ((_, key) => sql`INSERT INTO bare_rows VALUES (${`bench-${key}`})`) satisfies Way,
  }
})

const openShops = (count: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => index + 1),
    (index) =>
      Effect.map(
        openShop(index, new Date(Date.now() - 1000)),
        ({ campaignId, merchantId }): Shop => ({ owner: { merchantId, mode: "test" }, campaignId }),
      ),
  )

/** All ways in turns; the medians of the rounds. */
const measureLoad = Effect.fnUntraced(function* (campaigns: number, options: AcceptBenchOptions) {
  const ground = yield* openGround
  const url = yield* freshDatabase(ground, "accept")
  return yield* Effect.gen(function* () {
    const shops = yield* openShops(campaigns)
    const ways = yield* makeWays
    let key = 0
    const next = () => ++key
    const found = { together: [] as number[], one_by_one: [] as number[], bare_insert: [] as number[] }
    for (let round = 0; round < options.rounds; round++) {
      for (const name of ["together", "one_by_one", "bare_insert"] as const)
        found[name].push(yield* perSecond(ways[name], shops, next, options))
    }
    const [together, oneByOne, bareInsert] = [found.together, found.one_by_one, found.bare_insert].map(
      (rates) => percentile(rates, 50),
    )
    return {
      campaigns,
      together_per_second: together ?? Number.NaN,
      one_by_one_per_second: oneByOne ?? Number.NaN,
      bare_insert_per_second: bareInsert ?? Number.NaN,
      ratio: (together ?? Number.NaN) / (oneByOne ?? Number.NaN),
      rounds: found,
    }
  }).pipe(Effect.provide(services(url), { local: true }))
}, Effect.scoped)

type Measured = Effect.Success<ReturnType<typeof measureLoad>>

const rows = (measured: Measured): ReadonlyArray<Row> => [
  ["together, accepts a second", number(measured.together_per_second)],
  ["one by one, accepts a second", number(measured.one_by_one_per_second)],
  ["ratio", number(measured.ratio, 2)],
  ["for comparison: a bare row each in its own commit", number(measured.bare_insert_per_second)],
]

/** Prints as it goes; takes some three minutes in full. Starts a PostgreSQL of its own, fsync on, that ends with it. */
export const benchAccept = Effect.fn("bench.accept")(function* (
  options: AcceptBenchOptions,
  print: (text: string) => void,
) {
  const machine = hardware()
  print(hardwareTable(machine))
  const of = `${options.clients} clients, median of ${options.rounds} rounds of ${options.roundMs} ms, fsync on`
  const hot = yield* measureLoad(1, options)
  print(table(`One campaign: ${of}`, rows(hot)))
  const spread = yield* measureLoad(options.campaigns, options)
  print(table(`${options.campaigns} campaigns: ${of}`, rows(spread)))
  print("")
  print(
    JSON.stringify({
      bench: "accept",
      ratio_one_campaign: hot.ratio,
      ratio_many_campaigns: spread.ratio,
      one_campaign: hot,
      many_campaigns: spread,
      fsync: true,
      settings: options,
      hardware: machine,
    }),
  )
})
