/** The one file that chooses the platform package: a change to platform-bun is a change of this file alone. */
import { createServer } from "node:http"
import { NodeHttpServer, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, type Duration, Effect, Exit, Layer, Runtime, type Scope } from "effect"
import { HttpServer } from "effect/http"
import { explainFailure } from "./ExplainFailure.ts"
import { explainListen, type ListenOptions } from "./ExplainListen.ts"
import { parentDeath } from "./ParentWatch.ts"

/** File system, paths, terminal and child processes. */
export const services = NodeServices.layer

export interface HttpServerOptions extends ListenOptions {
  /** How long open requests may take to finish at a stop. */
  readonly gracefulShutdownTimeout?: Duration.Input
}

/** What every HTTP server can say of itself: RFC 9457, section 4.2.1. */
const notYet = JSON.stringify({ type: "about:blank", title: "Service Unavailable", status: 503 })

/**
 * The platform listens before the program has its handlers, and takes them away before the port closes. Node drops a
 * request that nobody listens for, and its sender waits for ever; this one gets an answer.
 */
const makeServer = () => {
  const server = createServer()
  server.on("request", (request, response) => {
    if (server.listenerCount("request") > 1) return
    request.resume()
    response.writeHead(503, {
      "content-type": "application/problem+json",
      "retry-after": "1",
      connection: "close",
    })
    response.end(notYet)
  })
  return server
}

/**
 * An HTTP server with the services that handlers need; before it has handlers it answers 503. Fails with a sentence
 * where it cannot listen.
 */
export const httpServer = (options: HttpServerOptions) =>
  NodeHttpServer.layerServer(makeServer, options).pipe(
    Layer.catch((error) =>
      Layer.effect(HttpServer.HttpServer, Effect.fail(explainListen(options, error.cause))),
    ),
    Layer.merge(NodeHttpServer.layerHttpServices),
  )

export interface MainOptions {
  /** The exit code after a signal: 0 for a service, whose orderly stop is a success; 130 for a job cut short. */
  readonly interruptedCode?: number
}

const finishWith =
  (interruptedCode: number) =>
  <A, E>(exit: Exit.Exit<A, E>, leave: (code: number) => void): void => {
    if (Exit.isSuccess(exit)) {
      leave(0)
    } else if (Cause.hasInterruptsOnly(exit.cause)) {
      leave(interruptedCode)
    } else {
      const words = explainFailure(exit.cause)
      if (words !== "") console.error(words)
      leave(Runtime.getErrorExitCode(Cause.squash(exit.cause)))
    }
  }

/**
 * Runs a program as this process. SIGINT, SIGTERM and the parent's death stop it in an orderly way, with exit code 0
 * unless the options say otherwise. A typed failure prints one sentence, a defect its whole cause, both on stderr with
 * exit code 1, or the one that the failure carries (Runtime.errorExitCode).
 */
export const runMain = <A, E>(program: Effect.Effect<A, E, Scope.Scope>, options: MainOptions = {}): void => {
  const orphaned = Effect.andThen(parentDeath, Effect.interrupt)
  NodeRuntime.runMain(Effect.raceFirst(Effect.scoped(program), orphaned), {
    disableErrorReporting: true,
    teardown: finishWith(options.interruptedCode ?? 0),
  })
}
