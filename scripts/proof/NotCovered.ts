/** What the proof says nothing about. Written by hand; `bun run docs` renders it. */
export const NOT_COVERED: ReadonlyArray<string> = [
  "A real network: every ledger here is the embedded one; testnet and the public network were never asked.",
  "A disk that loses or changes what was synced.",
  "A clock that jumps: in the simulation those of several machines differ, by up to two and a half minutes, but each " +
    "goes on evenly.",
  "Handing in through Horizon, database restores, the operator's commands, the HTTP layer and the signer with its key " +
    "service: they are outside of the simulation and have tests of their own.",
  "PostgreSQL that fails over to a replica: one server, killed and restarted, is all there is.",
  "Contract events and their indexing, and actions: they are not there yet.",
]
