/**
 * Batches in the database: binding issuances to a (channel, sequence), the envelopes signed there, and settling
 * them by what the ledger shows. SQL and nothing else; `SubmitBatch` decides what to call.
 *
 * Invariants (docs/adr/0003-at-most-once.md): every state change is one transaction with its event row and with
 * the campaign's budget; every write is fenced by the channel's lease; an envelope is stored before it is sent.
 * Times are parameters, so that leases and histories follow the clock of the program.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { BatchPayment } from "./BatchPayment.ts"
import { fence, type Lease, type LeaseLost } from "./Channels.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { PAYMENTS_MAX } from "./PaymentTransaction.ts"
import { type FailedBatch, type PaidBatch, settleFailed, settlePaid } from "./SettleBatch.ts"
import type { SignedEnvelope } from "./Verdict.ts"

/** An envelope of the batch as stored. */
export interface StoredEnvelope extends SignedEnvelope {
  readonly envelopeXdr: string
  readonly issuanceIds: ReadonlyArray<string>
  /** The newest ledger known when it was last sent; null before the first sending. */
  readonly ledgerSent: number | null
}

/** What is bound to a channel's sequence, with every envelope ever signed there. */
export interface Batch {
  readonly channelId: number
  readonly sequence: bigint
  /** In the order of their ids. */
  readonly payments: ReadonlyArray<BatchPayment>
  readonly envelopes: ReadonlyArray<StoredEnvelope>
}

export interface NewEnvelope {
  readonly hash: string
  readonly sequence: bigint
  readonly envelopeXdr: string
  readonly issuanceIds: ReadonlyArray<string>
  readonly ledgerSigned: number
  readonly ledgerMax: number
  readonly feeStroopsMax: bigint
}

interface BoundRow {
  readonly id: string
  readonly wallet_address: string
  readonly amount_stroops: bigint
  readonly channel_id: number
  readonly channel_sequence: bigint
}

interface EnvelopeRow {
  readonly hash: string
  readonly channel_id: number
  readonly sequence: bigint
  readonly envelope_xdr: string
  readonly issuance_ids: ReadonlyArray<string>
  readonly ledger_signed: bigint
  readonly ledger_max: bigint
  readonly ledger_sent: bigint | null
  readonly status: string
}

const toPayment = (row: BoundRow): BatchPayment => ({
  issuanceId: row.id,
  walletAddress: row.wallet_address,
  amountStroops: row.amount_stroops,
})

const toEnvelope = (row: EnvelopeRow): StoredEnvelope => ({
  hash: row.hash,
  envelopeXdr: row.envelope_xdr,
  issuanceIds: row.issuance_ids,
  ledgerSigned: Number(row.ledger_signed),
  ledgerMax: Number(row.ledger_max),
  ledgerSent: row.ledger_sent === null ? null : Number(row.ledger_sent),
  expired: row.status === "expired",
})

const group = (
  bound: ReadonlyArray<BoundRow>,
  envelopes: ReadonlyArray<EnvelopeRow>,
): ReadonlyMap<number, Batch> => {
  const batches = new Map<number, Batch>()
  for (const row of bound) {
    const batch = batches.get(row.channel_id)
    if (batch !== undefined && batch.sequence !== row.channel_sequence) {
      throw new Error(`channel ${row.channel_id} has issuances bound to two sequences`)
    }
    batches.set(row.channel_id, {
      channelId: row.channel_id,
      sequence: row.channel_sequence,
      payments: [...(batch?.payments ?? []), toPayment(row)],
      envelopes: [],
    })
  }
  for (const row of envelopes) {
    const batch = batches.get(row.channel_id)
    if (batch === undefined || batch.sequence !== row.sequence) continue
    batches.set(row.channel_id, { ...batch, envelopes: [...batch.envelopes, toEnvelope(row)] })
  }
  return batches
}

export class Batches extends Context.Service<
  Batches,
  {
    /** Is there anything for a worker to do: rewards to claim, or batches to bring to their end? */
    readonly work: Effect.Effect<{ readonly pending: boolean; readonly paused: boolean }>
    /** The batches bound to these channels, by channel. */
    readonly inFlight: (channelIds: ReadonlyArray<number>) => Effect.Effect<ReadonlyMap<number, Batch>>
    /**
     * Binds the oldest pending issuances, at most 100, to the channel's `sequence`; an empty answer when there is
     * nothing to bind, issuing is paused, the lease is lost, `sequence` was claimed before, or the one below it was
     * never signed here (then this database is older than the ledger).
     */
    readonly claim: (lease: Lease, sequence: bigint) => Effect.Effect<ReadonlyArray<BatchPayment>>
    /** Stores an envelope before its first sending. */
    readonly recordSigned: (lease: Lease, envelope: NewEnvelope) => Effect.Effect<void, LeaseLost>
    /** Notes a sending and what was answered to it: information, never a verdict. */
    readonly recordSent: (hash: string, ledgerSent: number, answer: string) => Effect.Effect<void>
    /** These envelopes can provably never apply any more. */
    readonly recordExpired: (lease: Lease, hashes: ReadonlyArray<string>) => Effect.Effect<void, LeaseLost>
    /** The batch applied: its payments are confirmed, whatever else was bound there is pending again. */
    readonly settlePaid: (lease: Lease, batch: PaidBatch) => Effect.Effect<number, LeaseLost>
    /** The batch was included and failed: the guilty end, the others are pending again. */
    readonly settleFailed: (lease: Lease, batch: FailedBatch) => Effect.Effect<void, LeaseLost>
  }
>()("nova/issuance/Batches") {
  static readonly layer = Layer.effect(
    Batches,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const settings = yield* IssuanceSettings
      const now = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms))

      /** Runs the writes in one transaction that holds the channel's fence. */
      const fenced = <A>(lease: Lease, writes: Effect.Effect<A, LeaseLost, SqlClient.SqlClient>) =>
        fence(lease).pipe(
          Effect.andThen(writes),
          sql.withTransaction,
          Effect.catchTag("SqlError", Effect.die),
          Effect.provideService(SqlClient.SqlClient, sql),
        )

      const work = Effect.gen(function* () {
        const [row] = yield* sql<{ pending: boolean; paused: boolean }>`
          SELECT EXISTS (SELECT 1 FROM reward_issuances WHERE status = 'pending' AND mode = ${settings.mode}) AS pending,
            EXISTS (SELECT 1 FROM issuance_control WHERE paused_at IS NOT NULL) AS paused`
        return row ?? { pending: false, paused: false }
      }).pipe(Effect.orDie, Effect.withSpan("Batches.work"))

      const inFlight = Effect.fn("Batches.inFlight")(function* (channelIds: ReadonlyArray<number>) {
        const bound = yield* sql<BoundRow>`
          SELECT id, wallet_address, amount_stroops, channel_id, channel_sequence FROM reward_issuances
          WHERE status = 'submitted' AND channel_id = ANY(${channelIds}::int[]) ORDER BY id`
        if (bound.length === 0) return new Map<number, Batch>()
        const envelopes = yield* sql<EnvelopeRow>`
          SELECT e.hash, e.channel_id, e.sequence, e.envelope_xdr, e.issuance_ids, e.ledger_signed, e.ledger_max,
            e.ledger_sent, e.status
          FROM stellar_envelopes e
          JOIN (
            SELECT DISTINCT channel_id, channel_sequence FROM reward_issuances
            WHERE status = 'submitted' AND channel_id = ANY(${channelIds}::int[])
          ) b ON b.channel_id = e.channel_id AND b.channel_sequence = e.sequence
          ORDER BY e.created_at, e.hash`
        return yield* Effect.sync(() => group(bound, envelopes))
      }, Effect.orDie)

      const claim = Effect.fn("Batches.claim")(function* (lease: Lease, sequence: bigint) {
        const at = yield* now
        const rows = yield* sql<BoundRow>`
          WITH batch AS (
            SELECT id FROM reward_issuances
            WHERE status = 'pending' AND mode = ${settings.mode}
              AND NOT EXISTS (SELECT 1 FROM issuance_control WHERE paused_at IS NOT NULL)
            ORDER BY id LIMIT ${PAYMENTS_MAX} FOR UPDATE SKIP LOCKED
          ), claimed AS (
            UPDATE channel_accounts SET sequence_claimed = ${sequence}, updated_at = ${at}
            WHERE id = ${lease.channelId} AND lease_owner = ${lease.owner} AND lease_token = ${lease.token}
              AND status = 'open' AND sequence_claimed < ${sequence} AND sequence_signed >= ${sequence - 1n}
              AND EXISTS (SELECT 1 FROM batch)
            RETURNING id
          ), bound AS (
            UPDATE reward_issuances r SET status = 'submitted', channel_id = ${lease.channelId},
              channel_sequence = ${sequence}, attempts = attempts + 1, updated_at = ${at}
            FROM batch, claimed WHERE r.id = batch.id
            RETURNING r.id, r.wallet_address, r.amount_stroops, r.channel_id, r.channel_sequence
          ), events AS (
            INSERT INTO issuance_events (issuance_id, at, from_status, to_status, detail)
            SELECT id, ${at}, 'pending', 'submitted',
              jsonb_build_object('channel', channel_id, 'sequence', channel_sequence::text)
            FROM bound
          )
          SELECT * FROM bound ORDER BY id`
        return rows.map(toPayment)
      }, Effect.orDie)

      const recordSigned = Effect.fn("Batches.recordSigned")(function* (lease: Lease, envelope: NewEnvelope) {
        const at = yield* now
        yield* fenced(
          lease,
          Effect.gen(function* () {
            yield* sql`
              INSERT INTO stellar_envelopes (hash, channel_id, sequence, envelope_xdr, issuance_ids, ledger_signed,
                ledger_max, fee_stroops_max, status, created_at, updated_at)
              VALUES (${envelope.hash}, ${lease.channelId}, ${envelope.sequence}, ${envelope.envelopeXdr},
                ${envelope.issuanceIds}::text[], ${envelope.ledgerSigned}, ${envelope.ledgerMax},
                ${envelope.feeStroopsMax}, 'signed', ${at}, ${at})`
            yield* sql`
              UPDATE channel_accounts SET sequence_signed = greatest(sequence_signed, ${envelope.sequence}),
                updated_at = ${at}
              WHERE id = ${lease.channelId}`
          }).pipe(Effect.orDie),
        )
      })

      const recordSent = Effect.fn("Batches.recordSent")(function* (
        hash: string,
        ledgerSent: number,
        answer: string,
      ) {
        yield* sql`
          UPDATE stellar_envelopes SET sends = sends + 1, ledger_sent = ${ledgerSent}, last_answer = ${answer},
            updated_at = ${yield* now}
          WHERE hash = ${hash}`
      }, Effect.orDie)

      const recordExpired = Effect.fn("Batches.recordExpired")(function* (
        lease: Lease,
        hashes: ReadonlyArray<string>,
      ) {
        const at = yield* now
        yield* fenced(
          lease,
          sql`
            UPDATE stellar_envelopes SET status = 'expired', updated_at = ${at}
            WHERE hash = ANY(${hashes}::text[]) AND channel_id = ${lease.channelId} AND status = 'signed'`.pipe(
            Effect.orDie,
            Effect.asVoid,
          ),
        )
      })

      return Batches.of({
        work,
        inFlight,
        claim,
        recordSigned,
        recordSent,
        recordExpired,
        settlePaid: (lease, batch) => fenced(lease, settlePaid(lease.channelId, batch)),
        settleFailed: (lease, batch) => fenced(lease, settleFailed(lease.channelId, batch)),
      })
    }),
  )
}
