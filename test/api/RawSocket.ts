/** HTTP/1.1 by hand on a socket: for requests that no client would send, and answers as they are on the wire. */
import { connect } from "node:net"
import { Effect } from "effect"
import type { Answer } from "./ApiHarness.ts"
import * as Api from "./ApiHarness.ts"

export interface RawOptions {
  /** Closes the sending side after the text, as a client does that has nothing more to say. */
  readonly halfClose?: boolean
  /** Runs once the text is written. */
  readonly afterSent?: () => void
}

/** Everything that the server sends until it closes the connection, after this text. */
const exchange = (port: number, text: string, { halfClose, afterSent }: RawOptions) =>
  new Promise<string>((resolve, reject) => {
    let received = ""
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => {
      socket.write(text, () => afterSent?.())
      if (halfClose) socket.end()
    })
    socket.setEncoding("utf8")
    socket.on("data", (chunk) => {
      received += chunk
    })
    socket.on("end", () => {
      socket.destroy()
      resolve(received)
    })
    socket.on("error", reject)
  })

const parseAnswer = (wire: string): Answer => {
  const headEnd = wire.indexOf("\r\n\r\n")
  const [statusLine = "", ...lines] = wire.slice(0, headEnd).split("\r\n")
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    }),
  )
  const text = wire.slice(headEnd + 4)
  const body: unknown = text.startsWith("{") ? JSON.parse(text) : undefined
  return { status: Number(statusLine.split(" ")[1]), headers, text, body }
}

/** The answer to a request for a reward with these header lines and this part of a body. */
export const issueRaw = Effect.fnUntraced(function* (
  client: Api.Client,
  headers: ReadonlyArray<string>,
  body: string,
  options: RawOptions = {},
) {
  const { port } = new URL(yield* Api.baseUrl)
  const head = [
    "POST /api/rewards/issue HTTP/1.1",
    "Host: localhost",
    `X-API-Key: ${client.key}`,
    "Content-Type: application/json",
    ...headers,
  ]
  const text = `${head.join("\r\n")}\r\n\r\n${body}`
  return parseAnswer(yield* Effect.promise(() => exchange(Number(port), text, options)))
})
