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
    what: "A node five ledgers behind does not know yet who made a trustline or an account: on its word rewards of customers who could be paid ended as failed",
    foundBy:
      "`npm run simulate -- --seed 15`, once each end was held against what its customer and its campaign allow",
    mended:
      "nobody is judged by an answer that is older than the newest ledger known; the batch waits for another one",
    test: "test/issuance/Preflight.test.ts, test/simulation/Regressions.test.ts",
  },
  {
    what: "Of two workers whose clocks differ the one that bumped could write a bump that seemed older than what it bumped: then only the latter was sent again, and bumped again and again up to the cap",
    foundBy: "reading",
    mended: "a batch's newest envelope is the one that offers most",
    test: "test/issuance/Channels.test.ts",
  },
  {
    what: "A claim on a channel that had changed hands said that nothing waits, so the channels after it stayed empty in that step",
    foundBy: "reading",
    mended: "it says unfit, and the others are filled",
    test: "test/issuance/Channels.test.ts",
  },
  {
    what: "`nova recover` believed Horizon's word for a transaction's success without its result: a record that contradicts itself could have released what was paid",
    foundBy: "reading",
    mended: "such a record is no answer",
    test: "test/horizon/ContradictoryRecord.test.ts",
  },
  {
    what: "A claim waited for a channel while it held the lock that the channel's new owner may wait for: a deadlock, which PostgreSQL would have ended",
    foundBy: "reading, with the simulation's rule that a circle of locks is a violation",
    mended: "a claim waits for no channel",
    test: "test/issuance/Channels.test.ts",
  },
  {
    what: "A worker whose database went away while it made sure of its channels, at its start, ended instead of trying again",
    foundBy:
      "`npm run simulate -- --seed 815`, once a program that ends by itself without a cause was a violation",
    mended: "a start waits a minute for the database and the signer, as it does for the network",
    test: "test/programs/WorkerStart.test.ts",
  },
]
