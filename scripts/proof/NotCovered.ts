/** What the proof says nothing about. Written by hand; `bun run docs` renders it. */
export const NOT_COVERED: ReadonlyArray<string> = [
  "A real network: every ledger here is the embedded one; testnet and the public network were never asked.",
  "A disk that loses or changes what was synced.",
  "A clock that jumps: in the simulation those of several machines differ, by up to two and a half minutes, but each " +
    "goes on evenly.",
  "Handing in through Horizon, database restores, the operator's commands, the HTTP layer and the signer with its key " +
    "service: they are outside of the simulation and have tests of their own.",
  "PostgreSQL that fails over to a replica: one server, killed and restarted, is all there is.",
  "Inside of a statement: one is in flight at a time, so no row changes between its snapshot and its lock, and no pool " +
    "is without a connection. Tests with real sessions side by side are there for some of it.",
  "XLM that lacks, accounts that are merged, histories that are cut, and what is bid for fees: tests have them, the " +
    "simulation does not.",
  "Contract events and their indexing, and actions: they are not there yet.",
]
