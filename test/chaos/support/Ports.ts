/** Ports for one system: free now, and outside the range that the kernel gives to outgoing connections. */
import { createServer } from "node:net"
import { Effect } from "effect"

/** Below Linux's ip_local_port_range (32768 and up by default): a client's port could be in the way after a kill. */
const LOWEST = 12_000
const HIGHEST = 31_999

/** Whether a server could listen there, with SO_REUSEADDR as every server of ours has it. */
export const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const probe = createServer()
    probe.once("error", () => resume(Effect.succeed(false)))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resume(Effect.succeed(true))))
  })

/** As many free ports, all different. */
export const freePorts = (count: number): Effect.Effect<ReadonlyArray<number>> =>
  Effect.gen(function* () {
    const found = new Set<number>()
    while (found.size < count) {
      const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1))
      if (yield* isFree(port)) found.add(port)
    }
    return [...found]
  })
