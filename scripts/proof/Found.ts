/** What the proof's parts found in this program, and what became of it. Written by hand; `bun run docs` renders it. */
export interface Found {
  readonly what: string
  readonly foundBy: string
  readonly mended: string
  /** The test that would see it again. */
  readonly test: string
}

export const FOUND: ReadonlyArray<Found> = [
  {
    what: "A worker that took over by name while the stopped one sat inside a transaction met the lock time-out and ended once",
    foundBy: "`npm run chaos` (kills, seed 20261121)",
    mended: "what another transaction holds is left to its lease",
    test: "test/issuance/Channels.test.ts",
  },
  {
    what: "With ledgers faster than whole seconds allow the network's time ran ahead of the worker's clock, and once it was a minute ahead every envelope was too late before it was sent: nothing was paid any more. So it was for any worker whose clock is a minute slow",
    foundBy: "`npm run chaos`, with ledgers of 200 ms",
    mended:
      "time bounds of 240 s instead of 60, and a word to the operator where the clock is behind the ledger's",
    test: "test/issuance/ErrorTable.test.ts, test/issuance/ClockCheck.test.ts",
  },
  {
    what: "The signer refused a fee bump over what a worker with a faster clock had signed, and all issuing was paused",
    foundBy: "`npm run simulate -- --seed 64`, with clocks that differ",
    mended: "the signer's limit leaves room for clocks that differ by minutes",
    test: "test/signer/TimeBounds.test.ts, test/simulation/Regressions.test.ts",
  },
  {
    what: "A claim waited for a channel while it held the lock that the channel's new owner may wait for: a deadlock, which PostgreSQL would have ended",
    foundBy: "reading, with the simulation's rule that a circle of locks is a violation",
    mended: "a claim waits for no channel",
    test: "test/issuance/Channels.test.ts",
  },
]
