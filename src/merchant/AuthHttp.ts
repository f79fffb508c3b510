/** Authentication of the API: looks the key up, and says nothing about why one is refused. */
import { Effect, Layer, Option, type Redacted } from "effect"
import { Auth } from "../api/Auth.ts"
import { failWith } from "../api/Problems.ts"
import { Merchants } from "./Merchants.ts"
import { CurrentOwner } from "./Owner.ts"

export const layer = Layer.effect(
  Auth,
  Effect.gen(function* () {
    const merchants = yield* Merchants
    const authenticate = Effect.fnUntraced(function* (key: Redacted.Redacted) {
      const owner = yield* merchants.ownerOf(key)
      if (Option.isSome(owner)) return owner.value
      return yield* failWith("auth.invalid_key", { detail: "Send a valid API key." })
    })
    return Auth.of({
      apiKey: (httpEffect, { credential }) =>
        Effect.provideServiceEffect(httpEffect, CurrentOwner, authenticate(credential)),
      bearer: (httpEffect, { credential }) =>
        Effect.provideServiceEffect(httpEffect, CurrentOwner, authenticate(credential)),
    })
  }),
)
