/** docs/openapi.json from the contract. */
import { OpenApi } from "effect/http-api"
import { NovaApi } from "../../src/api/NovaApi.ts"

export const openApiDocument = (): string => `${JSON.stringify(OpenApi.fromApi(NovaApi), null, 2)}\n`
