/**
 * The pool as an operator sees it, and the two things that a person may do to a channel: take it out of use, and take
 * it into use again. Both change its status alone: what is bound to it keeps its (channel, sequence) until its verdict.
 */
import { Clock, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { Channels } from "../issuance/Channels.ts"
import type { ChannelStatus as Status } from "../issuance/Lease.ts"
import { readAccounts } from "../issuance/LedgerAccounts.ts"

export class ChannelRefused extends Schema.TaggedError<ChannelRefused>()("ChannelRefused", {
  code: Schema.Literals(["channel_not_found", "channel_already_so"]),
  message: Schema.String,
}) {}

export interface ChannelView {
  readonly channelId: number
  readonly address: string
  readonly status: Status
  readonly reason: string | null
  /** Of the ledger; undefined where the ledger has no such account. */
  readonly sequenceLedger: bigint | undefined
  readonly sequenceSigned: bigint
  readonly leaseOwner: string | null
  readonly leaseUntil: Date | null
  /** XLM, in stroops; undefined where the ledger has no such account. */
  readonly balanceStroops: bigint | undefined
  /** Rewards bound to its sequence. */
  readonly bound: number
  /** How long ago the oldest of them was bound, in ms. */
  readonly boundForMs: number | undefined
}

/**
 * Every channel, by id, with the ledger's word beside the database's.
 *
 * @error SorobanRpcError when the node gives no answer
 */
export const listChannels = Effect.fn("ChannelStatus.listChannels")(function* () {
  const sql = yield* SqlClient.SqlClient
  const nowMs = yield* Clock.currentTimeMillis
  const rows = yield* Channels.use(({ list }) => list)
  const bound = yield* sql<{ channel_id: number; count: number; since: Date }>`
    SELECT channel_id, count(*)::int AS count, min(updated_at) AS since FROM reward_issuances
    WHERE status = 'submitted' GROUP BY channel_id`.pipe(Effect.orDie)
  const byChannel = new Map(bound.map((row) => [row.channel_id, row]))
  const view = yield* readAccounts(rows.map(({ address }) => address))
  return rows.map((row): ChannelView => {
    const account = view.accounts.get(row.address)
    const batch = byChannel.get(row.id)
    return {
      channelId: row.id,
      address: row.address,
      status: row.status,
      reason: row.statusReason,
      sequenceLedger: account?.sequence,
      sequenceSigned: row.sequenceSigned,
      leaseOwner: row.leaseOwner,
      leaseUntil: row.leaseUntil,
      balanceStroops: account?.balanceStroops,
      bound: batch?.count ?? 0,
      boundForMs: batch && nowMs - batch.since.getTime(),
    }
  })
})

const change = Effect.fnUntraced(function* (
  channelId: number,
  target: "open" | "quarantined",
  reason: string | null,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  return yield* Effect.gen(function* () {
    const [row] = yield* sql<{ status: Status; status_reason: string | null }>`
      SELECT status, status_reason FROM channel_accounts WHERE id = ${channelId} FOR UPDATE`.pipe(
      Effect.orDie,
    )
    if (row === undefined) {
      return yield* new ChannelRefused({
        code: "channel_not_found",
        message: `There is no channel ${channelId}: nova channels lists them.`,
      })
    }
    if (row.status === target || (target === "quarantined" && row.status === "halted")) {
      const why = row.status_reason === null ? "" : ` (${row.status_reason})`
      return yield* new ChannelRefused({
        code: "channel_already_so",
        message: `Channel ${channelId} is ${row.status} already${why}.`,
      })
    }
    yield* sql`
      UPDATE channel_accounts SET status = ${target}, status_reason = ${reason}, updated_at = ${at}
      WHERE id = ${channelId}`.pipe(Effect.orDie)
    return { channelId, status: target, before: row.status, reasonBefore: row.status_reason }
  }).pipe(sql.withTransaction)
})

/**
 * Takes a quarantined or halted channel into use again; the worker looks at once at what is still bound to it.
 *
 * @error ChannelRefused
 */
export const releaseChannel = Effect.fn("ChannelStatus.releaseChannel")(function* (channelId: number) {
  const changed = yield* change(channelId, "open", null)
  const before = `${changed.before} (${changed.reasonBefore ?? "no reason given"})`
  yield* Effect.logInfo(`channel ${channelId} was ${before} and is taken into use again by hand`).pipe(
    Effect.annotateLogs({ channel: channelId, status: changed.before, reason: changed.reasonBefore }),
  )
  return changed
})

/**
 * Takes an open channel out of use: nothing new is bound to it.
 *
 * @error ChannelRefused
 */
export const quarantineChannel = Effect.fn("ChannelStatus.quarantineChannel")(function* (
  channelId: number,
  reason: string,
) {
  const changed = yield* change(channelId, "quarantined", reason)
  yield* Effect.logInfo(`channel ${channelId} is taken out of use by hand: ${reason}`).pipe(
    Effect.annotateLogs({ channel: channelId, reason }),
  )
  return changed
})
