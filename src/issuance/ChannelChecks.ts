/**
 * What must hold between the channels that the database knows and those that the ledger shows, before anything is
 * issued or created (docs/adr/0003-at-most-once.md, rule 5).
 *
 * Invariant: the database's rows were read *after* the ledger's answer. A channel that another worker registered or
 * used in between is then never ahead of them; rows from before the answer would call a healthy database too old.
 */
import { Effect } from "effect"
import { type ChannelRow, Channels } from "./Channels.ts"
import { IssuanceRefused } from "./IssuanceRefused.ts"
import type { AccountsView } from "./LedgerAccounts.ts"

export interface Channel {
  readonly id: number
  readonly address: string
}

/** A sequence that no transaction of the account has used yet: only its creation's ledger, in the upper half. */
const isFresh = (sequence: bigint): boolean => (sequence & 0xffff_ffffn) === 0n

const checkKnown = (row: ChannelRow, address: string, sequence: bigint | undefined) => {
  const refuse = (message: string) =>
    Effect.fail(new IssuanceRefused({ code: "database_older_than_ledger", message }))
  if (row.address !== address) {
    return refuse(
      `Channel ${row.id} is ${row.address} in the database but ${address} by NOVA_CHANNEL_SEED: set the seed that belongs to this database.`,
    )
  }
  if (sequence !== undefined && sequence > row.sequenceKnown) {
    return refuse(
      `Channel ${row.id} (${address}) is at sequence ${sequence} on the ledger, above ${row.sequenceKnown}, the highest that this database has signed: the database is older than the ledger (a restored dump?), and issuing now could pay twice.`,
    )
  }
  return Effect.void
}

/**
 * Every channel that the database knows, wanted now or not, in use or not: one that is out of use in an old dump may
 * have paid since.
 */
export const checkAllKnown = Effect.fnUntraced(function* (
  known: ReadonlyArray<ChannelRow>,
  addressOf: ReadonlyMap<number, string>,
  view: AccountsView,
) {
  for (const row of known) {
    yield* checkKnown(row, addressOf.get(row.id) ?? row.address, view.accounts.get(row.address)?.sequence)
  }
})

/** Takes the wanted ones that the ledger has into the database. */
export const registerNew = Effect.fnUntraced(function* (
  known: ReadonlyArray<ChannelRow>,
  wanted: ReadonlyArray<Channel>,
  view: AccountsView,
) {
  const channels = yield* Channels
  const knownIds = new Set(known.map((row) => row.id))
  const fresh: Array<Channel & { readonly sequence: bigint }> = []
  for (const { id, address } of wanted) {
    const sequence = view.accounts.get(address)?.sequence
    if (knownIds.has(id) || sequence === undefined) continue
    if (!isFresh(sequence)) {
      return yield* new IssuanceRefused({
        code: "database_older_than_ledger",
        message: `Channel ${id} (${address}) has been used on the ledger, but this database does not know it: the database is older than the ledger, or the seed serves another one too. Issuing now could pay twice.`,
      })
    }
    fresh.push({ id, address, sequence })
  }
  yield* channels.register(fresh)
})

/**
 * A channel that was there once is never made anew. Answers with those that are gone and quarantined: a worker took them
 * out of use when their account was merged, and they bind nothing any more (src/issuance/Verdict.ts, "Lost"). One that is
 * gone and should be there says that the network is another one.
 */
export const checkNoneLost = (
  known: ReadonlyArray<ChannelRow>,
  asked: ReadonlySet<string>,
  view: AccountsView,
) => {
  const gone = known.filter(({ address }) => asked.has(address) && !view.accounts.has(address))
  const lost = gone.find(({ status }) => status !== "quarantined")
  if (lost === undefined) return Effect.succeed(gone)
  return Effect.fail(
    new IssuanceRefused({
      code: "network_was_reset",
      message: `Channel ${lost.id} (${lost.address}) is in the database but no longer on the ledger: the network was reset, or it is another one. Use a fresh database, or point SOROBAN_RPC_URL at the network that was used before.`,
    }),
  )
}
