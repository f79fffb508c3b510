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
import { leaseShare } from "./ChannelShare.ts"
import type { ChannelStatus, Lease } from "./Lease.ts"

export interface ChannelRow {
  readonly id: number
  readonly address: string
  readonly status: ChannelStatus
  readonly statusReason: string | null
  readonly sequenceSigned: bigint
  /** The highest that is accounted for: signed here, or understood when the channel was taken out of use. */
  readonly sequenceKnown: bigint
  readonly sequenceClaimed: bigint
  readonly leaseOwner: string | null
  readonly leaseUntil: Date | null
}

/** What a change of status rests on. */
export interface StatusKnowledge {
  /** Where the ledger shows the channel, when what was done with it by others is the reason. */
  readonly sequenceUnderstood?: bigint | undefined
  /** What the channel must still be. */
  readonly from?: ChannelStatus
}

/** Another worker holds the channel now; whatever was being written was not written. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  channelId: Schema.Number,
  owner: Schema.String,
}) {}

/** Who one run of a worker is, as the owner of leases: "name/ULID". */
export const ownerOf = (workerName: string, run: string): string => `${workerName}/${run}`

/** Characters of a ULID. */
const RUN_LENGTH = 26

/** Locks the channel's row for the caller's transaction, or fails because the lease has changed hands. */
export const fence = Effect.fnUntraced(function* (lease: Lease) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    SELECT 1 FROM channel_accounts
    WHERE id = ${lease.channelId} AND lease_owner = ${lease.owner} AND lease_token = ${lease.token}
    FOR UPDATE`.pipe(Effect.orDie)
  if (rows.length === 0) return yield* new LeaseLost({ channelId: lease.channelId, owner: lease.owner })
})

export class Channels extends Context.Service<
  Channels,
  {
    readonly list: Effect.Effect<ReadonlyArray<ChannelRow>>
    /** Adds channels that are not known yet, with the sequence that the ledger shows for them. */
    readonly register: (
      channels: ReadonlyArray<{ readonly id: number; readonly address: string; readonly sequence: bigint }>,
    ) => Effect.Effect<void>
    /**
     * Renews the channels that `owner` holds and takes free ones, up to its share: as many for each worker that was
     * seen within the last lease. Beyond its share it gives back what nothing is bound to. Leases end `leaseMs` from
     * now. Channels that are not open come along while issuances are bound to them.
     */
    readonly lease: (owner: string, leaseMs: number) => Effect.Effect<ReadonlyArray<Lease>>
    /** Gives all of the owner's channels back at once; it no longer counts as a worker. */
    readonly release: (owner: string) => Effect.Effect<void>
    /**
     * Ends the leases of earlier runs of the worker of this name at once. Safe even if one of them still runs: whoever
     * takes its channels gets another token. A channel that such a run is writing about at this moment is left to its
     * lease: nobody waits here for a program that may be stopped in the middle of a transaction.
     */
    readonly takeOver: (workerName: string) => Effect.Effect<void>
    /**
     * Takes the channel out of use; its issuances stay as they are. `open` takes it into use again. Answers whether it
     * did: with `from`, only if the channel still is what the caller takes it for.
     */
    readonly setStatus: (
      lease: Lease,
      status: ChannelStatus,
      reason: string | null,
      known?: StatusKnowledge,
    ) => Effect.Effect<boolean, LeaseLost>
  }
>()("nova/issuance/Channels") {
  static readonly layer = Layer.effect(
    Channels,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const list = sql<ChannelRow>`
        SELECT id, address, status, status_reason AS "statusReason", sequence_signed AS "sequenceSigned",
          greatest(sequence_signed, sequence_understood) AS "sequenceKnown",
          sequence_claimed AS "sequenceClaimed", lease_owner AS "leaseOwner", lease_until AS "leaseUntil"
        FROM channel_accounts ORDER BY id`.pipe(Effect.orDie, Effect.withSpan("Channels.list"))

      const register = Effect.fn("Channels.register")(function* (
        channels: ReadonlyArray<{ readonly id: number; readonly address: string; readonly sequence: bigint }>,
      ) {
        if (channels.length === 0) return
        // Without a target: workers that register the same ones at once may meet in either unique index.
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
          ON CONFLICT DO NOTHING`
      }, Effect.orDie)

      const lease = Effect.fn("Channels.lease")(
        (owner: string, leaseMs: number) => leaseShare(owner, leaseMs),
        Effect.provideService(SqlClient.SqlClient, sql),
        sql.withTransaction,
        Effect.orDie,
      )

      const release = Effect.fn("Channels.release")(function* (owner: string) {
        const now = new Date(yield* Clock.currentTimeMillis)
        yield* sql`
          WITH left_pool AS (DELETE FROM issuance_workers WHERE id = ${owner})
          UPDATE channel_accounts SET lease_owner = NULL, lease_until = NULL, updated_at = ${now}
          WHERE lease_owner = ${owner}`
      }, Effect.orDie)

      const takeOver = Effect.fn("Channels.takeOver")(function* (workerName: string) {
        const now = new Date(yield* Clock.currentTimeMillis)
        yield* sql`
          WITH gone AS (
            DELETE FROM issuance_workers WHERE id IN (
              SELECT id FROM issuance_workers WHERE left(id, ${-RUN_LENGTH}) = ${`${workerName}/`}
              FOR UPDATE SKIP LOCKED
            )
          )
          UPDATE channel_accounts SET lease_owner = NULL, lease_until = NULL, updated_at = ${now}
          WHERE id IN (
            SELECT id FROM channel_accounts WHERE left(lease_owner, ${-RUN_LENGTH}) = ${`${workerName}/`}
            ORDER BY id FOR UPDATE SKIP LOCKED
          )`
      }, Effect.orDie)

      const setStatus = Effect.fn("Channels.setStatus")(function* (
        held: Lease,
        status: ChannelStatus,
        reason: string | null,
        known?: StatusKnowledge,
      ) {
        const now = new Date(yield* Clock.currentTimeMillis)
        return yield* fence(held).pipe(
          Effect.andThen(
            sql`
              UPDATE channel_accounts SET status = ${status}, status_reason = ${reason}, updated_at = ${now},
                sequence_understood = greatest(sequence_understood, ${known?.sequenceUnderstood ?? 0n})
              WHERE id = ${held.channelId} AND status = coalesce(${known?.from ?? null}::text, status)
              RETURNING id`.pipe(Effect.orDie),
          ),
          Effect.map((changed) => changed.length > 0),
          Effect.provideService(SqlClient.SqlClient, sql),
          sql.withTransaction,
          Effect.catchTag("SqlError", Effect.die),
        )
      })

      return Channels.of({ list, register, lease, release, takeOver, setStatus })
    }),
  )
}
