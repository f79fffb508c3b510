/**
 * The merchants' API as a program: routes, documents and the edge around them, on whatever HTTP server, database and
 * cache it is given.
 *
 * Needs: HttpServer and its services (platform), SqlClient, Redis, SecureRandom.
 */
import { Effect, Layer } from "effect"
import { HttpMiddleware, HttpRouter, HttpServer } from "effect/http"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import { httpEdge } from "../api/HttpEdge.ts"
import { NovaApi } from "../api/NovaApi.ts"
import { JsonBody, NoBody, RequestRules } from "../api/RequestRules.ts"
import { documentRoutes, templateOf } from "../api/RouteTable.ts"
import * as CampaignHttp from "../campaign/CampaignHttp.ts"
import { Campaigns } from "../campaign/Campaigns.ts"
import { Draining } from "../health/Draining.ts"
import { Health } from "../health/Health.ts"
import * as HealthHttp from "../health/HealthHttp.ts"
import { QueueDepth } from "../health/QueueDepth.ts"
import * as IssuanceHttp from "../issuance/IssuanceHttp.ts"
import { Issuances } from "../issuance/Issuances.ts"
import { IssuanceWaits } from "../issuance/IssuanceWaits.ts"
import * as Settings from "../kernel/Settings.ts"
import * as AuthHttp from "../merchant/AuthHttp.ts"
import { Merchants } from "../merchant/Merchants.ts"

/** Services of the API's domains. Need SqlClient, Redis and SecureRandom. */
export const layerServices = Issuances.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Campaigns.layer, Merchants.layer, QueueDepth.layer)),
)

const handlers = Layer.mergeAll(IssuanceHttp.layer, CampaignHttp.layer, HealthHttp.layer).pipe(
  Layer.provideMerge(Layer.mergeAll(AuthHttp.layer, RequestRules.layer, JsonBody.layer, NoBody.layer)),
)

/** Works without the internet: script and style are part of the page. */
const documents = HttpApiScalar.layer(NovaApi, {
  path: documentRoutes.docs.path,
  scalar: { withDefaultFonts: false, hideModels: true },
})

/** Every route, with its handlers and rules. */
export const layerRoutes = Layer.merge(
  HttpApiBuilder.layer(NovaApi, { openapiPath: documentRoutes.openapi.path }).pipe(Layer.provide(handlers)),
  documents,
)

const spanNames = Layer.succeed(
  HttpMiddleware.SpanNameGenerator,
  (request) => `${request.method} ${templateOf(request.method, request.url) ?? "unmatched"}`,
)

const serve = Layer.unwrap(
  Effect.gen(function* () {
    const bodyBytesMax = yield* Settings.bodyBytesMax
    const { isDraining } = yield* Draining
    const router = yield* HttpRouter.toHttpEffect(layerRoutes)
    return HttpServer.serve(yield* httpEdge(router, { bodyBytesMax, isDraining }))
  }),
)

/**
 * Serves the API until the scope closes: then `/health/ready` says 503, `DRAIN_DELAY_MS` pass, the port closes, and
 * open requests finish.
 */
export const layer = Draining.layerOnStop.pipe(
  Layer.provide(serve),
  Layer.provide([Health.layer, IssuanceWaits.layer]),
  Layer.provide(Draining.layer),
  Layer.provide([layerServices, spanNames]),
)
