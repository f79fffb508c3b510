import type { EventFeed, StreamEvent } from "../horizon/HorizonMessage.ts"
import type { Network } from "../Network.ts"

const HELLO = 'retry: 1000\nevent: open\ndata: "hello"\n\n'
const BYEBYE = 'retry: 10\nevent: close\ndata: "byebye"\n\n'

/** internal/render/sse: an error that ends the stream. */
const FAILED = "event: err\ndata: Unexpected stream error\n\n"

/** Chunks that may wait for a slow reader before its stream is given up. */
const WAITING_CHUNKS_MAX = 1000

const frame = (event: StreamEvent): string => {
  const id = event.id === undefined ? "" : `id: ${event.id}\n`
  return `${id}data: ${JSON.stringify(event.data)}\n\n`
}

export interface EventStream {
  readonly body: ReadableStream<Uint8Array>
  /** Says goodbye and ends the stream. */
  readonly end: () => void
}

export interface EventStreamOptions {
  readonly network: Network
  readonly feed: EventFeed
  /** Horizon ends a stream with its connection timeout (55 s); clients come back with their cursor. */
  readonly lastsMs: number
  readonly onEnd: () => void
  /** Told where the feed failed after the stream had begun. */
  readonly onDefect: (error: unknown) => void
}

/**
 * Server-sent events as Horizon frames them: hello, what the feed has, what each ledger adds, byebye after
 * `feed.limit` events or when the time is over.
 * @throws HorizonProblem where the first pull fails: then there is no stream, but a problem to answer
 */
export const openEventStream = (options: EventStreamOptions): EventStream => {
  const { network, feed, lastsMs, onEnd, onDefect } = options
  const encoder = new TextEncoder()
  const first = feed.pull(feed.limit)
  let left = feed.limit
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let unsubscribe = () => {}
  let timer: ReturnType<typeof setTimeout> | undefined

  const release = () => {
    clearTimeout(timer)
    unsubscribe()
    if (controller !== undefined) onEnd()
    controller = undefined
  }
  const write = (text: string) => controller?.enqueue(encoder.encode(text))
  const finish = (lastFrame: string) => {
    const open = controller
    write(lastFrame)
    release()
    open?.close()
  }
  const end = () => finish(BYEBYE)
  const send = (events: ReadonlyArray<StreamEvent>) => {
    if (events.length > 0) write(events.map(frame).join(""))
    left -= events.length
    if (left <= 0) end()
  }
  /** Runs while a ledger is being closed, which nothing that a reader asked for may disturb. */
  const onLedger = () => {
    const room = controller?.desiredSize ?? 0
    if (room < -WAITING_CHUNKS_MAX) return end()
    try {
      send(feed.pull(left))
    } catch (error) {
      onDefect(error)
      finish(FAILED)
    }
  }
  const body = new ReadableStream<Uint8Array>({
    start: (opened) => {
      controller = opened
      write(HELLO)
      timer = setTimeout(end, lastsMs)
      unsubscribe = network.onClose(onLedger)
      send(first)
    },
    cancel: release,
  })
  return { body, end }
}
