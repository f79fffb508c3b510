/**
 * The pool of channel accounts in the database, and who may use which.
 *
 * Invariant: a channel is used by one worker at a time, and a worker that lost it can write nothing: `lease_token`
 * grows whenever a channel changes hands, and every write of a batch locks the channel's row and compares the
 * token (see `fence`). How it would break: a write that trusts the lease's time instead of its token, since a
 * paused worker's clock says nothing about what others did meanwhile.
 */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"

/** A channel that this worker holds. */
export interface Lease {
  readonly channelId: number
  readonly address: string
  readonly owner: string
  readonly token: bigint
  /** Nothing is claimed or sent for it; only the verdict about what is still bound to it is looked for. */
  readonly halted: boolean
}

export interface ChannelRow {
  readonly id: number
  readonly address: string
  readonly status: "open" | "halted"
  readonly statusReason: string | null
  readonly sequenceSigned: bigint
  readonly sequenceClaimed: bigint
  readonly leaseOwner: string | null
  readonly leaseUntil: Date | null
}

/** Another worker holds the channel now; whatever was being written was not written. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  channelId: Schema.Number,
  owner: Schema.String,
}) {}

/** Locks the channel's row for the caller's transaction, or fails because the lease has changed hands. */
export const fence = Effect.fnUntraced(function* (lease: Lease) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    SELECT 1 FROM channel_accounts
    WHERE id = ${lease.channelId} AND lease_owner = ${lease.owner} AND lease_token = ${lease.token}
    FOR UPDATE`.pipe(Effect.orDie)
  if (rows.length === 0) return yield* new LeaseLost({ channelId: lease.channelId, owner: lease.owner })
})

/** A lease that ends later than so many lease times from now was written by a wrong clock. */
const ABSURD_LEASES = 10

export class Channels extends Context.Service<
  Channels,
  {
    readonly list: Effect.Effect<ReadonlyArray<ChannelRow>>
    /** Adds channels that are not known yet, with the sequence that the ledger shows for them. */
    readonly register: (
      channels: ReadonlyArray<{ readonly id: number; readonly address: string; readonly sequence: bigint }>,
    ) => Effect.Effect<void>
    /**
     * Renews the channels that `owner` holds and takes those that nobody holds, until `leaseMs` from now; answers
     * with all that it holds. Halted ones come along while issuances are bound to them.
     */
    readonly lease: (owner: string, leaseMs: number) => Effect.Effect<ReadonlyArray<Lease>>
    /** Gives all of the owner's channels back at once. */
    readonly release: (owner: string) => Effect.Effect<void>
    /** Takes the channel out of use until a person has looked at it; its issuances stay as they are. */
    readonly halt: (lease: Lease, reason: string) => Effect.Effect<void, LeaseLost>
    /** Takes a halted channel into use again: what it was halted for has been explained by the ledger. */
    readonly reopen: (lease: Lease) => Effect.Effect<void, LeaseLost>
  }
>()("nova/issuance/Channels") {
  static readonly layer = Layer.effect(
    Channels,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const list = sql<ChannelRow>`
        SELECT id, address, status, status_reason AS "statusReason", sequence_signed AS "sequenceSigned",
          sequence_claimed AS "sequenceClaimed", lease_owner AS "leaseOwner", lease_until AS "leaseUntil"
        FROM channel_accounts ORDER BY id`.pipe(Effect.orDie, Effect.withSpan("Channels.list"))

      const register = Effect.fn("Channels.register")(function* (
        channels: ReadonlyArray<{ readonly id: number; readonly address: string; readonly sequence: bigint }>,
      ) {
        if (channels.length === 0) return
        const now = new Date(yield* Clock.currentTimeMillis)
        yield* sql`
          INSERT INTO channel_accounts
            (id, address, status, sequence_signed, sequence_claimed, created_at, updated_at)
          SELECT id, address, 'open', sequence, sequence, ${now}, ${now}
          FROM unnest(
            ${channels.map((channel) => channel.id)}::int[],
            ${channels.map((channel) => channel.address)}::text[],
            ${channels.map((channel) => channel.sequence)}::bigint[]
          ) AS new (id, address, sequence)
          ON CONFLICT (id) DO NOTHING`
      }, Effect.orDie)

      const lease = Effect.fn("Channels.lease")(function* (owner: string, leaseMs: number) {
        const nowMs = yield* Clock.currentTimeMillis
        const now = new Date(nowMs)
        const until = new Date(nowMs + leaseMs)
        // No honest lease reaches so far: its worker's clock was wrong. Taking it is safe, the token fences.
        const absurd = new Date(nowMs + leaseMs * ABSURD_LEASES)
        const rows = yield* sql<{ id: number; address: string; lease_token: bigint; status: string }>`
          UPDATE channel_accounts SET
            lease_token = CASE WHEN lease_owner = ${owner} THEN lease_token ELSE lease_token + 1 END,
            lease_owner = ${owner}, lease_until = ${until}, updated_at = ${now}
          WHERE id IN (
            SELECT id FROM channel_accounts
            WHERE (status = 'open' OR id IN (SELECT channel_id FROM reward_issuances WHERE status = 'submitted'))
              AND (lease_owner IS NULL OR lease_owner = ${owner} OR lease_until < ${now} OR lease_until > ${absurd})
            ORDER BY id FOR UPDATE SKIP LOCKED
          )
          RETURNING id, address, lease_token, status`
        return rows
          .map((row) => ({
            channelId: row.id,
            address: row.address,
            owner,
            token: row.lease_token,
            halted: row.status === "halted",
          }))
          .sort((a, b) => a.channelId - b.channelId)
      }, Effect.orDie)

      const release = Effect.fn("Channels.release")(function* (owner: string) {
        const now = new Date(yield* Clock.currentTimeMillis)
        yield* sql`
          UPDATE channel_accounts SET lease_owner = NULL, lease_until = NULL, updated_at = ${now}
          WHERE lease_owner = ${owner}`
      }, Effect.orDie)

      const setStatus = Effect.fnUntraced(function* (
        held: Lease,
        status: "open" | "halted",
        reason: string | null,
      ) {
        const now = new Date(yield* Clock.currentTimeMillis)
        yield* fence(held).pipe(
          Effect.andThen(
            sql`
              UPDATE channel_accounts SET status = ${status}, status_reason = ${reason}, updated_at = ${now}
              WHERE id = ${held.channelId}`.pipe(Effect.orDie),
          ),
          Effect.provideService(SqlClient.SqlClient, sql),
          sql.withTransaction,
          Effect.catchTag("SqlError", Effect.die),
        )
      })

      const halt = Effect.fn("Channels.halt")((held: Lease, reason: string) =>
        setStatus(held, "halted", reason),
      )
      const reopen = Effect.fn("Channels.reopen")((held: Lease) => setStatus(held, "open", null))

      return Channels.of({ list, register, lease, release, halt, reopen })
    }),
  )
}
