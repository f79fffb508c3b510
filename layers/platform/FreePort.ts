/**
 * Whether a port is free, asked before a program is started that will listen there. A health check by address alone
 * would take another installation's program on the same port for the one just started.
 */
import { createServer } from "node:net"
import { Effect } from "effect"
import { explainListen, type ListenOptions } from "./ExplainListen.ts"
import type { StartupFailure } from "./StartupFailure.ts"

/** Fails with a sentence when the port is taken; else it is free again when this completes. */
export const ensurePortFree = (options: ListenOptions): Effect.Effect<void, StartupFailure> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.once("error", (cause) => resume(Effect.fail(explainListen(options, cause))))
    server.listen({ host: options.host, port: options.port, exclusive: true }, () => {
      server.close(() => resume(Effect.void))
    })
  })
