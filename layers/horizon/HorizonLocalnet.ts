/** Horizon of an embedded network in this process, without sockets: for tests and simulation. */
import { Effect, Layer } from "effect"
import { Horizon, HorizonError } from "../../src/ports/Horizon.ts"
import { gatewayTimeout, rateLimited } from "../localnet/faults/CallProblems.ts"
import { type Calls, horizonCallKind, undisturbed } from "../localnet/faults/Calls.ts"
import { makeHorizon } from "../localnet/horizon/Horizon.ts"
import type { HorizonAnswer } from "../localnet/horizon/HorizonMessage.ts"
import type { Network } from "../localnet/Network.ts"
import { type HorizonResponse, make } from "./HorizonAnswers.ts"

/** Through JSON and back, as over the wire: no bigint or undefined may look like a field here and not there. */
const overTheWire = (answer: HorizonAnswer): HorizonResponse => {
  switch (answer.kind) {
    case "resource":
      return { status: answer.status, body: JSON.parse(JSON.stringify(answer.body)) }
    case "problem":
      return { status: answer.problem.status, body: JSON.parse(JSON.stringify(answer.problem)) }
    case "methodNotAllowed":
      return { status: 405, body: undefined }
    case "stream":
      return { status: 406, body: undefined }
  }
}

/** A call on its way, through whatever disturbs it. */
const disturbed = (
  calls: Calls,
  operation: string,
  { method, path }: { readonly method: string; readonly path: string },
  answer: Effect.Effect<HorizonAnswer>,
): Effect.Effect<HorizonAnswer, HorizonError> =>
  Effect.suspend(() => {
    const kind = horizonCallKind(method, path)
    const fate = kind === undefined ? undefined : calls.fateOf(kind)
    if (fate === undefined || fate.answer === "given") return answer
    const carriedOut = fate.reached ? Effect.asVoid(answer) : Effect.void
    if (fate.answer === "lost") {
      const lost = new HorizonError({ operation, reason: "unreachable", message: "the connection was lost" })
      return Effect.andThen(carriedOut, Effect.fail(lost))
    }
    const { problem } = fate.answer === "rate_limited" ? rateLimited() : gatewayTimeout()
    return Effect.as(carriedOut, { kind: "problem", problem })
  })

/** @param calls what becomes of the calls on their way: nothing but answers, unless faults are injected */
export const layer = (network: Network, calls: Calls = undisturbed) =>
  Layer.effect(
    Horizon,
    Effect.gen(function* () {
      const horizon = yield* Effect.acquireRelease(
        Effect.sync(() => makeHorizon({ network })),
        (opened) => Effect.sync(() => opened.close()),
      )
      return make((operation, request) => {
        const { form, method, path } = request
        const [plain = "", query = ""] = path.split("?")
        const answer = Effect.promise((signal) =>
          horizon.answer({
            method,
            path: plain,
            query: new URLSearchParams(query),
            form: new URLSearchParams(form ?? {}),
            contentType: form === undefined ? "" : "application/x-www-form-urlencoded",
            accept: "application/json",
            lastEventId: "",
            baseUrl: "",
            signal,
          }),
        )
        return Effect.map(disturbed(calls, operation, { method, path: plain }, answer), overTheWire)
      })
    }),
  )
