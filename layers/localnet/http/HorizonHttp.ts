import type { Horizon } from "../horizon/Horizon.ts"
import type { EventFeed, HorizonAnswer, HorizonRequest } from "../horizon/HorizonMessage.ts"
import { HorizonProblem, type Problem, serverOverCapacity } from "../horizon/Problems.ts"
import type { Network } from "../Network.ts"
import { type EventStream, openEventStream } from "./EventStream.ts"
import { readBody } from "./HttpBody.ts"

/** Horizon's default `max-http-request-size`. */
const BODY_BYTES_MAX = 200 * 1024

export const baseUrlOf = (request: Request, url: URL): string => {
  const protocol = request.headers.get("x-forwarded-proto") ?? url.protocol.replace(":", "")
  return `${protocol}://${request.headers.get("host") ?? url.host}`
}

/** Multipart forms are read like urlencoded ones; what cannot be read is an empty form, as in Go. */
const readForm = async (request: Request, contentType: string): Promise<URLSearchParams> => {
  const body = await readBody(request, BODY_BYTES_MAX)
  if (body === undefined) return new URLSearchParams()
  if (!contentType.toLowerCase().startsWith("multipart/form-data")) return new URLSearchParams(body)
  const form = await new Response(body, { headers: { "content-type": contentType } })
    .formData()
    .catch(() => null)
  const fields = new URLSearchParams()
  for (const [name, value] of form ?? []) if (typeof value === "string") fields.append(name, value)
  return fields
}

const readRequest = async (request: Request): Promise<HorizonRequest> => {
  const url = new URL(request.url)
  const contentType = request.headers.get("content-type") ?? ""
  const form = request.method === "POST" ? await readForm(request, contentType) : new URLSearchParams()
  return {
    method: request.method,
    path: url.pathname,
    query: url.searchParams,
    form,
    contentType,
    accept: request.headers.get("accept") ?? "",
    lastEventId: request.headers.get("last-event-id") ?? "",
    baseUrl: baseUrlOf(request, url),
    signal: request.signal,
  }
}

const json = (body: unknown, status: number, mediaType: string): Response =>
  new Response(`${JSON.stringify(body, null, 2)}\n`, {
    status,
    headers: { "content-type": `${mediaType}; charset=utf-8` },
  })

const problemResponse = (problem: Problem): Response =>
  json(problem, problem.status, "application/problem+json")

/** The streams that are open, bounded in number. */
export interface Streams {
  readonly open: (feed: EventFeed) => Response
  readonly endAll: () => void
}

export interface StreamsOptions {
  readonly network: Network
  readonly streamsMax: number
  readonly lastsMs: number
  readonly onDefect: (error: unknown) => void
}

export const makeStreams = ({ network, streamsMax, lastsMs, onDefect }: StreamsOptions): Streams => {
  const streams = new Map<symbol, EventStream>()
  const open = (feed: EventFeed): Response => {
    if (streams.size >= streamsMax) return problemResponse(serverOverCapacity().problem)
    const id = Symbol("stream")
    let ended = false
    // A feed that fills its limit at once ends while the stream is being opened.
    const onEnd = () => {
      ended = true
      streams.delete(id)
    }
    try {
      const stream = openEventStream({ network, feed, lastsMs, onEnd, onDefect })
      if (!ended) streams.set(id, stream)
      const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" }
      return new Response(stream.body, { headers })
    } catch (error) {
      if (error instanceof HorizonProblem) return problemResponse(error.problem)
      throw error
    }
  }
  const endAll = () => {
    for (const stream of [...streams.values()]) stream.end()
  }
  return { open, endAll }
}

const render = (answer: HorizonAnswer, streams: Streams): Response => {
  switch (answer.kind) {
    case "resource":
      return json(answer.body, answer.status, "application/hal+json")
    case "problem":
      return problemResponse(answer.problem)
    case "methodNotAllowed":
      return new Response(null, { status: 405 })
    case "stream":
      return streams.open(answer.feed)
  }
}

/** Horizon over HTTP: every answer tells the latest ledger in a header. */
export const answerHorizon = async (
  network: Network,
  horizon: Horizon,
  streams: Streams,
  request: Request,
): Promise<Response> => {
  const response = render(await horizon.answer(await readRequest(request)), streams)
  response.headers.set("latest-ledger", String(network.latest().sequence))
  return response
}
