import { expect } from "bun:test"
import { Effect } from "effect"
import { OpenApi } from "effect/http-api"
import { NovaApi } from "../../src/api/NovaApi.ts"
import { errorCodes, problems } from "../../src/api/Problems.ts"
import { documentRoutes, routes } from "../../src/api/RouteTable.ts"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"

const { live } = withLayer(Api.layer)

// biome-ignore lint/suspicious/noExplicitAny: a JSON document, walked
type Json = any

const document = Effect.map(Api.send("/openapi.json"), (answer): Json => answer.body)

const operations = (spec: Json): ReadonlyArray<readonly [method: string, path: string, operation: Json]> =>
  Object.entries<Json>(spec.paths).flatMap(([path, item]) =>
    Object.entries<Json>(item).map(([method, operation]) => [method, path, operation] as const),
  )

const resolve = (spec: Json, schema: Json): Json => {
  if (schema?.$ref === undefined) return schema
  const path = schema.$ref.replace("#/", "").split("/")
  return path.reduce((at: Json, segment: string) => at[segment], spec)
}

/** Every object of the document, with its place. */
function* walk(value: Json, place: string): Generator<readonly [string, Json]> {
  if (typeof value !== "object" || value === null) return
  yield [place, value]
  for (const [key, child] of Object.entries(value)) yield* walk(child, `${place}/${key}`)
}

live("is served as it is generated, in OpenAPI 3.1", () =>
  Effect.gen(function* () {
    const spec = yield* document
    expect(spec.openapi).toMatch(/^3\.1\./)
    expect(spec.info).toMatchObject({ title: "Nova Rewards" })
    expect(spec).toEqual(JSON.parse(JSON.stringify(OpenApi.fromApi(NovaApi))))
  }),
)

live("has every route, each with its own name and a summary", () =>
  Effect.gen(function* () {
    const spec = yield* document
    const documents = Object.values(documentRoutes).map(({ path }): string => path)
    const expected = routes
      .filter(({ path }) => !documents.includes(path))
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`)
    expect(
      operations(spec)
        .map(([method, path]) => `${method} ${path}`)
        .sort(),
    ).toEqual(expected.sort())
    const ids = operations(spec).map(([, , operation]) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, , operation] of operations(spec)) expect(operation.summary.length).toBeGreaterThan(5)
  }),
)

live("every reference leads somewhere and every path parameter is declared", () =>
  Effect.gen(function* () {
    const spec = yield* document
    for (const [place, node] of walk(spec, "#")) {
      if (typeof node.$ref === "string")
        expect([place, resolve(spec, node) !== undefined]).toEqual([place, true])
    }
    for (const [, path, operation] of operations(spec)) {
      const declared = operation.parameters
        .filter((each: Json) => each.in === "path")
        .map((each: Json) => each.name)
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
    }
  }),
)

live("lists every error code under its status, with an example", () =>
  Effect.gen(function* () {
    const spec = yield* document
    const listed = new Map<string, Set<string>>()
    for (const [, , operation] of operations(spec)) {
      for (const [status, response] of Object.entries<Json>(operation.responses)) {
        const schema = resolve(spec, response.content?.["application/problem+json"]?.schema)
        if (schema === undefined) continue
        for (const option of schema.anyOf ?? schema.oneOf ?? [schema]) {
          const { properties, examples } = resolve(spec, option)
          const code = (properties.code.enum ?? [properties.code.const])[0]
          listed.set(code, (listed.get(code) ?? new Set()).add(status))
          expect([code, examples?.[0]?.code]).toEqual([code, code])
        }
      }
    }
    // Answers for addresses that are in no contract cannot be in it.
    const unlisted = ["route.not_found", "route.method_not_allowed"]
    const expected = errorCodes.filter((code) => !unlisted.includes(code)).sort()
    expect([...listed.keys()].sort()).toEqual(expected)
    for (const code of expected)
      expect([code, [...(listed.get(code) ?? [])]]).toEqual([code, [String(problems[code].status)]])
  }),
)

live("says that amounts are strings, which fields are required and that there are no others", () =>
  Effect.gen(function* () {
    const spec = yield* document
    const { schema } = spec.paths["/api/rewards/issue"].post.requestBody.content["application/json"]
    const body = resolve(spec, schema)
    expect(body.required.sort()).toEqual(["amount", "campaignId", "walletAddress"])
    expect(body.additionalProperties).toBe(false)
    expect(resolve(spec, body.properties.amount).type).toBe("string")
    expect(Object.keys(spec.paths["/api/rewards/issue"].post.responses).sort()).toEqual([
      "200",
      "202",
      "400",
      "401",
      "403",
      "404",
      "408",
      "409",
      "413",
      "415",
      "422",
      "500",
      "503",
    ])
  }),
)

live("both ways to send a key are there, as alternatives", () =>
  Effect.gen(function* () {
    const spec = yield* document
    expect(spec.components.securitySchemes).toMatchObject({
      apiKey: { type: "apiKey", name: "x-api-key", in: "header" },
      bearer: { type: "http", scheme: "Bearer" },
    })
    expect(spec.paths["/api/campaigns"].get.security).toEqual([{ apiKey: [] }, { bearer: [] }])
    expect(spec.paths["/health"].get.security).toEqual([])
  }),
)
