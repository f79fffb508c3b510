/** Authentication as the contract states it: an API key in `x-api-key` or as a bearer token. */
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import type { CurrentOwner } from "../merchant/Owner.ts"
import { problem } from "./Problems.ts"

export class Auth extends HttpApiMiddleware.Service<Auth, { provides: CurrentOwner }>()("nova/api/Auth", {
  security: {
    apiKey: HttpApiSecurity.apiKey({ key: "x-api-key", in: "header" }),
    bearer: HttpApiSecurity.bearer,
  },
  error: problem("auth.invalid_key"),
}) {}
