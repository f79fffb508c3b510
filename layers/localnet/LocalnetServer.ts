/**
 * The embedded network over HTTP on one port: Horizon at `/`, Stellar RPC by POST at `/rpc`, `/soroban/rpc`
 * and `/`, friendbot at `/friendbot`; and the clock that closes its ledgers.
 */

import { type Calls, undisturbed } from "./faults/Calls.ts"
import { makeHorizon } from "./horizon/Horizon.ts"
import { serverError } from "./horizon/Problems.ts"
import { corsHeaders, isPreflight, preflightResponse } from "./http/Cors.ts"
import { disturbHorizon, disturbRpc } from "./http/Disturbance.ts"
import { answerHorizon, baseUrlOf, makeStreams } from "./http/HorizonHttp.ts"
import { startLedgerClock } from "./http/LedgerClock.ts"
import { answerRpc } from "./http/RpcHttp.ts"
import type { Network } from "./Network.ts"

export interface LocalnetServerOptions {
  readonly network: Network
  readonly hostname: string
  /** 0 takes a free one. */
  readonly port: number
  /**
   * Milliseconds between ledgers. Ledger times are whole seconds and rise with every ledger: below 1,000
   * they run ahead of the wall clock, and time bounds taken from it come too late.
   */
  readonly closeIntervalMs: number
  /** Milliseconds since the Unix epoch, for close times; the system's clock by default. */
  readonly now?: () => number
  /** How long `POST /transactions` and friendbot wait for a ledger, in ms; 30 seconds by default. */
  readonly submissionTimeoutMs?: number
  /** Streams of server-sent events that may be open at once; 1,000 by default. */
  readonly streamsMax?: number
  /** Ends a stream after this many ms, for the client to come back; 55 seconds by default, as Horizon. */
  readonly streamLastsMs?: number
  /** What becomes of calls on their way, where faults are injected; the network is then the faulty one. */
  readonly calls?: Calls
  /** Told when a ledger could not be closed (no space left, say): the clock stands still from then on. */
  readonly onFault?: (error: unknown) => void
  /** Told of a bug that a request met; the request got a 500 and the server goes on. */
  readonly onDefect?: (error: unknown) => void
}

export interface LocalnetServer {
  readonly url: string
  readonly port: number
  /** Stops the clock, ends streams and waiting submissions, closes the port. The network stays usable. */
  readonly stop: () => Promise<void>
}

/** Far above what is read (512 KiB): larger bodies are cut off by the HTTP server itself with a 413. */
const BODY_BYTES_CUT = 8 * 1024 * 1024

const GRACE_MS = 250

const RPC_PATHS: ReadonlySet<string> = new Set(["/rpc", "/rpc/", "/soroban/rpc", "/soroban/rpc/"])

const makeFetch = (options: LocalnetServerOptions, now: () => number, onDefect: (error: unknown) => void) => {
  const { network, submissionTimeoutMs, streamsMax = 1000, streamLastsMs = 55_000 } = options
  const { calls = undisturbed } = options
  const horizon = makeHorizon({
    network,
    onDefect,
    ...(submissionTimeoutMs === undefined ? {} : { submissionTimeoutMs }),
  })
  const streams = makeStreams({ network, streamsMax, lastsMs: streamLastsMs, onDefect })
  const answer = async (request: Request): Promise<Response> => {
    if (isPreflight(request)) return preflightResponse(request)
    const url = new URL(request.url)
    const isRpc = RPC_PATHS.has(url.pathname) || (url.pathname === "/" && request.method === "POST")
    const surroundings = { friendbotUrl: `${baseUrlOf(request, url)}/friendbot`, now }
    const response = isRpc
      ? await disturbRpc(calls, request, (one) => answerRpc(network, surroundings, onDefect, one))
      : await disturbHorizon(calls, request, (one) => answerHorizon(network, horizon, streams, one))
    for (const [name, value] of Object.entries(corsHeaders(request))) response.headers.set(name, value)
    return response
  }
  const close = () => {
    streams.endAll()
    horizon.close()
  }
  return { answer, close }
}

const listen = (
  options: LocalnetServerOptions,
  fetch: (request: Request) => Promise<Response>,
  onDefect: (error: unknown) => void,
) => {
  const { hostname, port } = options
  try {
    return Bun.serve({
      hostname,
      port,
      // Streams and submissions wait for ledgers; they have time limits of their own.
      idleTimeout: 0,
      maxRequestBodySize: BODY_BYTES_CUT,
      fetch,
      error: (error) => {
        onDefect(error)
        return Response.json(serverError().problem, { status: 500 })
      },
    })
  } catch (error) {
    const isTaken = (error as { code?: unknown }).code === "EADDRINUSE"
    throw isTaken
      ? new Error(`The local network cannot listen on ${hostname}:${port}: the port is taken.`)
      : new Error(`The local network cannot listen on ${hostname}:${port}: ${String(error)}`)
  }
}

/**
 * Serves the network and closes its ledgers until stopped.
 * @throws Error with one sentence where the port cannot be had
 */
export const startLocalnetServer = async (options: LocalnetServerOptions): Promise<LocalnetServer> => {
  const { network, hostname, closeIntervalMs, now = Date.now } = options
  const { onFault = console.error, onDefect = console.error } = options
  const { answer, close } = makeFetch(options, now, onDefect)
  const server = listen(options, answer, onDefect)
  const clock = startLedgerClock({
    intervalMs: closeIntervalMs,
    close: () => network.closeLedger(Math.floor(now() / 1000)),
    onFault,
  })
  const port = server.port ?? options.port
  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    port,
    stop: async () => {
      clock.stop()
      close()
      // Lets goodbyes and last answers leave; connections that only idle do not hold it up.
      await Promise.race([server.stop(), Bun.sleep(GRACE_MS)])
      await server.stop(true)
    },
  }
}
