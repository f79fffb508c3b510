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
]
