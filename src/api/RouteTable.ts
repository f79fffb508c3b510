/**
 * Which route a request means, by the router's own matching: for the route label of metrics and spans, and to tell
 * "no such path" from "not with this method".
 */
import { FindMyWay } from "effect/http"
import { HttpApi } from "effect/http-api"
import { NovaApi } from "./NovaApi.ts"

export interface RouteKey {
  readonly method: string
  /** As in the contract: /api/campaigns/:id */
  readonly path: `/${string}`
}

/** Routes beside the contract's endpoints: they serve the contract itself. */
export const documentRoutes = {
  openapi: { method: "GET", path: "/openapi.json" },
  docs: { method: "GET", path: "/api/docs" },
} as const satisfies Record<string, RouteKey>

const contractRoutes = (): ReadonlyArray<RouteKey> => {
  const routes: Array<RouteKey> = []
  HttpApi.reflect(NovaApi, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      routes.push({ method: endpoint.method, path: endpoint.path as `/${string}` })
    },
  })
  return routes
}

/** Every route that the API serves. */
export const routes: ReadonlyArray<RouteKey> = [...contractRoutes(), ...Object.values(documentRoutes)]

const router = FindMyWay.make<RouteKey>()
for (const route of routes) router.on(route.method, route.path, route)

/** The template of the request's route; HEAD is answered by GET. */
export const templateOf = (method: string, url: string): string | undefined =>
  router.find(method === "HEAD" ? "GET" : method, url)?.handler.path

const METHODS = [...new Set(routes.map((route) => route.method))]

/** The methods that the path has, in the form of an Allow header; empty for an unknown path. */
export const allowedMethods = (url: string): ReadonlyArray<string> =>
  METHODS.filter((method) => router.find(method, url) !== undefined).flatMap((method) =>
    method === "GET" ? ["GET", "HEAD"] : [method],
  )
