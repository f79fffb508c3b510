/** Horizon of an embedded network in this process, without sockets: for tests and simulation. */
import { Effect, Layer } from "effect"
import { Horizon } from "../../src/ports/Horizon.ts"
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

export const layer = (network: Network) =>
  Layer.effect(
    Horizon,
    Effect.gen(function* () {
      const horizon = yield* Effect.acquireRelease(
        Effect.sync(() => makeHorizon({ network })),
        (opened) => Effect.sync(() => opened.close()),
      )
      return make((_operation, { form, method, path }) => {
        const [plain = "", query = ""] = path.split("?")
        return Effect.map(
          Effect.promise((signal) =>
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
          ),
          overTheWire,
        )
      })
    }),
  )
