/**
 * This machine's clock against the ledger's: time bounds and leases are taken from the clock, so one that is minutes
 * slow makes the network refuse whatever is signed here. The other way round says nothing: a clock that seems fast may
 * be right and the node behind.
 */
import { Clock, Effect, Option } from "effect"
import { SorobanRpc } from "../ports/SorobanRpc.ts"

/** Worth a person's attention, well before an envelope's time bound is over when it is signed. */
const SLOW_SECONDS = 30

/** Says how far the clock is behind the time at which this ledger closed, where it is far. */
export const checkClock = Effect.fn("ClockCheck.checkClock")(function* (ledger: number) {
  const rpc = yield* SorobanRpc
  const found = yield* rpc.getLedger(ledger)
  const nowMs = yield* Clock.currentTimeMillis
  const behindSeconds = Option.match(found, {
    onNone: () => 0,
    onSome: ({ closedAtMs }) => Math.floor((closedAtMs - nowMs) / 1000),
  })
  if (behindSeconds < SLOW_SECONDS) return
  yield* Effect.logError(
    `this machine's clock is ${behindSeconds} s behind the ledger's: set it (NTP), or the network will refuse what is signed here as too late`,
  )
})
