/**
 * Which channels a worker gets: those that it has, and of the free ones as many as make an equal share among the
 * workers that are alive.
 *
 * Invariant: a channel changes hands only when nobody holds it or its lease has ended, and then its token grows. How
 * it would break: giving back a channel that something is bound to is safe (the token fences), but would cost its
 * batch a lease time, so only idle ones are given back.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { ChannelStatus, Lease } from "./Lease.ts"

/** A lease that ends later than so many lease times from now was written by a wrong clock. Taking it is safe. */
const ABSURD_LEASES = 10

interface LeasedRow {
  readonly id: number
  readonly address: string
  readonly lease_token: bigint
  readonly status: ChannelStatus
}

interface Times {
  readonly now: Date
  readonly until: Date
  readonly absurd: Date
  /** Workers that were seen after it are alive. */
  readonly seenAfter: Date
}

/** How many channels `owner` may hold: an equal part; what cannot be divided goes to the first workers by name. */
const shareOf = Effect.fnUntraced(function* (owner: string, { absurd, now, seenAfter }: Times) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    INSERT INTO issuance_workers (id, seen_at) VALUES (${owner}, ${now})
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`
  const [counted] = yield* sql<{ workers: number; before: number; channels: number }>`
    SELECT count(*)::int AS workers, count(*) FILTER (WHERE id < ${owner})::int AS before,
      (SELECT count(*)::int FROM channel_accounts WHERE status = 'open') AS channels
    FROM issuance_workers WHERE seen_at > ${seenAfter} AND seen_at < ${absurd}`
  const { before, channels, workers } = counted ?? { before: 0, channels: 0, workers: 1 }
  const rest = channels % Math.max(1, workers)
  return Math.floor(channels / Math.max(1, workers)) + (before < rest ? 1 : 0)
})

const renew = (owner: string, { now, until }: Times) =>
  SqlClient.SqlClient.use(
    (sql) => sql<LeasedRow>`
      UPDATE channel_accounts SET lease_until = ${until}, updated_at = ${now}
      WHERE id IN (
        SELECT id FROM channel_accounts WHERE lease_owner = ${owner} AND ${usable(sql)}
        ORDER BY id FOR UPDATE SKIP LOCKED
      )
      RETURNING id, address, lease_token, status`,
  )

/** Open, or with something bound to it that still needs its verdict. */
const usable = (sql: SqlClient.SqlClient) => sql`
  (status = 'open' OR id IN (SELECT channel_id FROM reward_issuances WHERE status = 'submitted'))`

const giveBackIdle = (owner: string, surplus: number, now: Date) =>
  SqlClient.SqlClient.use(
    (sql) => sql<{ id: number }>`
      UPDATE channel_accounts SET lease_owner = NULL, lease_until = NULL, updated_at = ${now}
      WHERE id IN (
        SELECT id FROM channel_accounts
        WHERE lease_owner = ${owner}
          AND id NOT IN (SELECT channel_id FROM reward_issuances WHERE status = 'submitted')
        ORDER BY id DESC LIMIT ${surplus} FOR UPDATE SKIP LOCKED
      )
      RETURNING id`,
  )

/**
 * Free open ones, those with something bound to them first, since it waits for its verdict. Channels that are out of
 * use need only their verdict and count for nobody's share: whoever comes first takes them all.
 */
const take = (owner: string, wanted: number, { absurd, now, until }: Times) =>
  SqlClient.SqlClient.use((sql) => {
    const bound = sql`id IN (SELECT channel_id FROM reward_issuances WHERE status = 'submitted')`
    const free = sql`(lease_owner IS NULL OR lease_until < ${now} OR lease_until > ${absurd})`
    return sql<LeasedRow>`
      WITH open_ones AS (
        SELECT id FROM channel_accounts WHERE status = 'open' AND ${free}
        ORDER BY (${bound}) DESC, id LIMIT ${wanted} FOR UPDATE SKIP LOCKED
      ), out_of_use AS (
        SELECT id FROM channel_accounts WHERE status <> 'open' AND ${free} AND ${bound}
        ORDER BY id FOR UPDATE SKIP LOCKED
      )
      UPDATE channel_accounts SET lease_token = lease_token + 1, lease_owner = ${owner}, lease_until = ${until},
        updated_at = ${now}
      WHERE id IN (SELECT id FROM open_ones UNION ALL SELECT id FROM out_of_use)
      RETURNING id, address, lease_token, status`
  })

/** One worker's channels from now until `leaseMs` from now. Belongs into a transaction. */
export const leaseShare = Effect.fnUntraced(function* (owner: string, leaseMs: number) {
  const nowMs = yield* Clock.currentTimeMillis
  const times: Times = {
    now: new Date(nowMs),
    until: new Date(nowMs + leaseMs),
    absurd: new Date(nowMs + leaseMs * ABSURD_LEASES),
    seenAfter: new Date(nowMs - leaseMs),
  }
  const share = yield* shareOf(owner, times)
  const kept = yield* renew(owner, times)
  const surplus = kept.filter((row) => row.status === "open").length - share
  const given = surplus > 0 ? yield* giveBackIdle(owner, surplus, times.now) : []
  const gone = new Set(given.map(({ id }) => id))
  const rest = kept.filter(({ id }) => !gone.has(id)).toSorted((a, b) => a.id - b.id)
  const taken = yield* take(owner, Math.max(0, -surplus), times)
  const spare = new Set(
    rest
      .filter((row) => row.status === "open")
      .slice(share)
      .map(({ id }) => id),
  )
  return [...rest, ...taken]
    .map(
      (row): Lease => ({
        channelId: row.id,
        address: row.address,
        owner,
        token: row.lease_token,
        status: row.status,
        isSpare: spare.has(row.id),
      }),
    )
    .toSorted((a, b) => a.channelId - b.channelId)
})
