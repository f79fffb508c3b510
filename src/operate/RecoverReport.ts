/** What a recovery did, counted while it goes on. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Changes, Contradiction, Fate } from "./RecoverTransaction.ts"

export interface RecoveredChannel {
  readonly channelId: number
  readonly address: string
  /** The database did not know it. */
  readonly isNew: boolean
  readonly sequenceSettled: bigint
  readonly sequenceLedger: bigint
  readonly transactions: number
}

export interface RecoverReport {
  readonly dryRun: boolean
  /** Up to where the ledger was read. */
  readonly ledger: number
  /** Those whose history was read. */
  readonly channels: ReadonlyArray<RecoveredChannel>
  readonly transactions: {
    readonly known: number
    readonly failed: number
    readonly matched: number
    readonly unmatched: number
    /** Of the unmatched: given up at the bound of the search. */
    readonly gaveUp: number
  }
  readonly confirmed: number
  /** Rows that the ledger refused for their own sake. */
  readonly failed: number
  /** Claimable balances that had been taken back. */
  readonly reclaimed: number
  /** Rows that wait for a person now. */
  readonly held: number
  /** Rows that wait for their next batch. */
  readonly released: number
  readonly unmatchedPayments: number
  readonly unmatchedStroops: bigint
  readonly contradictions: ReadonlyArray<Contradiction>
  /** Channels that were out of use before and still are. */
  readonly outOfUse: ReadonlyArray<{
    readonly id: number
    readonly status: string
    readonly reason: string | null
  }>
  readonly pauseLifted: string | null
}

const NAMES = { Known: "known", Failed: "failed", Matched: "matched", Unmatched: "unmatched" } as const

export const makeRecoverTally = () => {
  const confirmed = new Set<string>()
  const held = new Set<string>()
  const released = new Set<string>()
  const channels: Array<RecoveredChannel> = []
  const contradictions: Array<Contradiction> = []
  const transactions = { known: 0, failed: 0, matched: 0, unmatched: 0, gaveUp: 0 }
  const failed = new Set<string>()
  const reclaimed = new Set<string>()
  let unmatchedPayments = 0
  let unmatchedStroops = 0n

  const hold = (ids: ReadonlyArray<string>) => {
    for (const id of ids) {
      held.add(id)
      released.delete(id)
    }
  }

  const add = (fate: Fate, changes: Changes) => {
    transactions[NAMES[fate._tag]] += 1
    if (fate._tag === "Unmatched" && fate.gaveUp) transactions.gaveUp += 1
    for (const id of changes.failed) failed.add(id)
    for (const id of changes.released) released.add(id)
    hold(changes.held)
    for (const id of changes.confirmed) {
      confirmed.add(id)
      held.delete(id)
      released.delete(id)
    }
    unmatchedPayments += changes.unmatched.length
    for (const { amountStroops } of changes.unmatched) unmatchedStroops += amountStroops
    contradictions.push(...changes.contradictions)
  }

  const report = Effect.fnUntraced(function* (
    rest: Pick<RecoverReport, "dryRun" | "ledger" | "pauseLifted">,
  ) {
    const sql = yield* SqlClient.SqlClient
    const outOfUse = yield* sql<RecoverReport["outOfUse"][number]>`
      SELECT id, status, status_reason AS reason FROM channel_accounts WHERE status <> 'open' ORDER BY id`.pipe(
      Effect.orDie,
    )
    return {
      ...rest,
      channels,
      transactions,
      confirmed: confirmed.size,
      failed: failed.size,
      reclaimed: reclaimed.size,
      held: held.size,
      released: released.size,
      unmatchedPayments,
      unmatchedStroops,
      contradictions,
      outOfUse,
    } satisfies RecoverReport as RecoverReport
  })

  return {
    confirmed: confirmed as ReadonlySet<string>,
    add,
    hold,
    reclaim: (issuanceIds: ReadonlyArray<string>) => {
      for (const id of issuanceIds) reclaimed.add(id)
    },
    addChannel: (channel: RecoveredChannel) => {
      channels.push(channel)
    },
    report,
  }
}
