/** The API on a port of its own, over the test file's database: what a merchant's HTTP client meets. */
import { request as httpRequest } from "node:http"
import { Effect, Layer, Redacted, References } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServer } from "effect/http"
import { httpServer } from "../../layers/platform/Platform.ts"
import * as RedisMemory from "../../layers/redis/RedisMemory.ts"
import { PaidModes, UnpayableWallets } from "../../src/issuance/IssueRequest.ts"
import type { Mode } from "../../src/merchant/ApiKey.ts"
import { Merchants } from "../../src/merchant/Merchants.ts"
import * as ApiServer from "../../src/programs/ApiServer.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

/** Strkeys of the key bytes 00..00 and 01..01; the second is among this server's own accounts. */
export const WALLET = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF"
export const UNPAYABLE_WALLET = "GAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQDZ7H"

const ownAccounts = Layer.succeed(UnpayableWallets, new Set([UNPAYABLE_WALLET]))

/** As on every network but the public one. */
const onlyTest = Layer.succeed(PaidModes, new Set<Mode>(["test"]))

const listening = httpServer({ host: "127.0.0.1", port: 0, setting: "PORT" })

/** Everything around the API but the database. */
export const surroundings = Layer.mergeAll(
  RedisMemory.layer,
  SecureRandom.layerWebCrypto,
  ownAccounts,
  onlyTest,
  listening,
)

/** The listening API and its services, over whatever database is beneath. */
export const layerApi = ApiServer.layer.pipe(
  Layer.provideMerge(ApiServer.layerServices),
  Layer.provideMerge(surroundings),
)

/** Refusals are most of what these tests ask for; their log lines would hide the faults. */
const quiet = Layer.succeed(References.MinimumLogLevel, "Warn")

/** The same over a database of the test file's own, without the log's lines of level info. */
export const layer = layerApi.pipe(Layer.provideMerge(TestDatabase.layer), Layer.provide(quiet))

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

export const baseUrl = Effect.map(HttpServer.HttpServer, ({ address }) => {
  if (!("port" in address)) throw new Error("the API listens on no port")
  return `http://127.0.0.1:${address.port}`
})

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One request, its answer read to the end. */
export const send = Effect.fnUntraced(function* (path: string, init: RequestInit = {}) {
  const url = `${yield* baseUrl}${path}`
  return yield* Effect.promise(async (): Promise<Answer> => {
    const response = await fetch(url, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parse(text) }
  })
})

/** As `send`, but with a body on any method, which fetch refuses. */
export const sendRaw = Effect.fnUntraced(function* (
  client: { readonly key: string },
  method: string,
  path: string,
  body: string,
  headers: Record<string, string> = {},
) {
  const url = `${yield* baseUrl}${path}`
  return yield* Effect.promise(
    () =>
      new Promise<Answer>((resolve, reject) => {
        const options = {
          method,
          headers: { "x-api-key": client.key, "content-length": body.length, ...headers },
        }
        const request = httpRequest(url, options, (response) => {
          let text = ""
          response.setEncoding("utf8")
          response.on("data", (chunk) => {
            text += chunk
          })
          response.on("end", () => {
            const answered = new Headers(response.headers as Record<string, string>)
            resolve({ status: response.statusCode ?? 0, headers: answered, text, body: parse(text) })
          })
        })
        request.on("error", reject)
        request.end(body)
      }),
  )
})

export interface Client {
  readonly merchantId: string
  readonly key: string
  readonly get: (path: string) => ReturnType<typeof send>
  readonly post: (path: string, body: unknown, headers?: Record<string, string>) => ReturnType<typeof send>
  readonly patch: (path: string, body: unknown, headers?: Record<string, string>) => ReturnType<typeof send>
}

/** A new merchant, and a client with a key of it. */
export const newClient = Effect.fnUntraced(function* (mode: Mode = "test") {
  const merchants = yield* Merchants
  const { id } = yield* merchants.create({ name: "Corner shop" })
  return yield* clientOf(id, mode)
})

export const clientOf = Effect.fnUntraced(function* (merchantId: string, mode: Mode) {
  const merchants = yield* Merchants
  const key = Redacted.value(yield* merchants.createKey({ merchantId, mode }))
  const withBody =
    (method: string) =>
    (path: string, body: unknown, headers: Record<string, string> = {}) =>
      send(path, {
        method,
        headers: { "x-api-key": key, "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      })
  const client: Client = {
    merchantId,
    key,
    get: (path) => send(path, { headers: { "x-api-key": key } }),
    post: withBody("POST"),
    patch: withBody("PATCH"),
  }
  return client
})

/** Id of a new campaign with this budget. */
export const newCampaign = Effect.fnUntraced(function* (
  client: Client,
  budget = "1000",
  fields: Record<string, unknown> = {},
) {
  const created = yield* client.post("/api/campaigns", { name: "Summer", budget, ...fields })
  if (created.status !== 201) throw new Error(`campaign: ${created.status} ${created.text}`)
  return created.body.id as string
})

let keys = 0

/** Body of a reward under a key that was never used. */
export const reward = (campaignId: string, fields: Record<string, unknown> = {}) => ({
  idempotencyKey: `order-${++keys}`,
  walletAddress: WALLET,
  amount: "25",
  campaignId,
  ...fields,
})
