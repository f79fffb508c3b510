/**
 * Batches in the database: what is bound to a (channel, sequence), the envelopes signed there, and settling them by
 * what the ledger shows. SQL and nothing else; `SubmitBatch` decides what to call.
 *
 * Invariants (docs/adr/0003-at-most-once.md): every state change is one transaction with its event row and with
 * the campaign's budget; every write is fenced by the channel's lease; an envelope is stored before it is sent.
 * Times are parameters, so that leases and histories follow the clock of the program.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { holdBeyondReserve, type Reserve } from "./BalanceReserve.ts"
import type { BoundReward } from "./BatchPayment.ts"
import { boundRewards } from "./BoundRewards.ts"
import { fence, type LeaseLost } from "./Channels.ts"
import { type Claimed, type ClaimTerms, claimRewards } from "./ClaimRewards.ts"
import { DatabaseIdentity } from "./DatabaseIdentity.ts"
import { type Ejection, eject } from "./EjectRewards.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import type { Lease } from "./Lease.ts"
import { type FailedBatch, type PaidBatch, releaseExpired, settleFailed, settlePaid } from "./SettleBatch.ts"
import type { SignedEnvelope } from "./Verdict.ts"

/** An envelope of a batch, without its bytes. */
export interface BatchEnvelope extends SignedEnvelope {
  /** Of a fee bump: the transaction that it wraps. */
  readonly innerHash: string | null
  /** Number of rewards that it pays, one by each operation. */
  readonly operations: number
  /** Fee bid for the whole transaction, stroops. */
  readonly feeStroopsMax: bigint
  readonly sends: number
  /** The newest ledger known when it was last sent; null before the first sending. */
  readonly ledgerSent: number | null
  readonly lastAnswer: string | null
}

/** What is bound to a channel's sequence, with every envelope ever signed there, oldest first. */
export interface Batch {
  readonly channelId: number
  readonly sequence: bigint
  readonly envelopes: ReadonlyArray<BatchEnvelope>
}

/** The bytes of an envelope, and what each operation pays. */
export interface EnvelopeBody {
  readonly envelopeXdr: string
  /** In operation order. */
  readonly issuanceIds: ReadonlyArray<string>
}

export interface NewEnvelope extends EnvelopeBody {
  readonly hash: string
  readonly innerHash: string | null
  readonly sequence: bigint
  readonly ledgerSigned: number
  readonly ledgerMax: number
  readonly feeStroopsMax: bigint
}

interface EnvelopeRow {
  readonly channel_id: number
  readonly sequence: bigint
  readonly hash: string | null
  readonly inner_hash: string | null
  readonly operations: number
  readonly fee_stroops_max: bigint
  readonly ledger_signed: bigint
  readonly ledger_max: bigint
  readonly ledger_sent: bigint | null
  readonly last_answer: string | null
  readonly sends: number
  readonly status: string
}

const toEnvelope = (row: EnvelopeRow, hash: string): BatchEnvelope => ({
  hash,
  innerHash: row.inner_hash,
  operations: row.operations,
  feeStroopsMax: row.fee_stroops_max,
  ledgerSigned: Number(row.ledger_signed),
  ledgerMax: Number(row.ledger_max),
  ledgerSent: row.ledger_sent === null ? null : Number(row.ledger_sent),
  lastAnswer: row.last_answer,
  sends: row.sends,
  expired: row.status === "expired",
})

const group = (rows: ReadonlyArray<EnvelopeRow>): ReadonlyMap<number, Batch> => {
  const batches = new Map<number, Batch>()
  for (const row of rows) {
    const batch = batches.get(row.channel_id)
    if (batch !== undefined && batch.sequence !== row.sequence) {
      throw new Error(`channel ${row.channel_id} has issuances bound to two sequences`)
    }
    const envelopes = row.hash === null ? [] : [toEnvelope(row, row.hash)]
    batches.set(row.channel_id, {
      channelId: row.channel_id,
      sequence: row.sequence,
      envelopes: [...(batch?.envelopes ?? []), ...envelopes],
    })
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
    /** What is bound to the channel's sequence, in the order of the ids. */
    readonly bound: (lease: Lease, sequence: bigint) => Effect.Effect<ReadonlyArray<BoundReward>>
    readonly body: (hash: string) => Effect.Effect<EnvelopeBody>
    /** Of what is bound there, the ids that a payment which the database lost may have paid already. */
    readonly lookAlikes: (lease: Lease, sequence: bigint) => Effect.Effect<ReadonlyArray<string>>
    /**
     * Binds pending issuances to the channel's next sequence: fairly between merchants, by priority and age within
     * one, and within what the treasury has; see `claimRewards`.
     */
    readonly claim: (lease: Lease, terms: ClaimTerms) => Effect.Effect<Claimed>
    /** Takes rewards out of a batch of which nothing alive is signed: they end or are held, for their own reason. */
    readonly eject: (
      lease: Lease,
      sequence: bigint,
      ejections: ReadonlyArray<Ejection>,
    ) => Effect.Effect<void, LeaseLost>
    /**
     * Holds the claimable balances of such a batch that the distribution account's XLM cannot reserve beside those of
     * all other batches; answers with how many.
     */
    readonly holdBeyondReserve: (
      lease: Lease,
      sequence: bigint,
      reserve: Reserve,
    ) => Effect.Effect<number, LeaseLost>
    /** Stores an envelope before its first sending. */
    readonly recordSigned: (lease: Lease, envelope: NewEnvelope) => Effect.Effect<void, LeaseLost>
    /** Notes a sending and what was answered to it: information, never a verdict. */
    readonly recordSent: (hash: string, ledgerSent: number, answer: string) => Effect.Effect<void>
    /** These envelopes can provably never apply any more. */
    readonly recordExpired: (lease: Lease, hashes: ReadonlyArray<string>) => Effect.Effect<void, LeaseLost>
    /** Gives a batch back whose envelopes have all expired, of a channel that is out of use. */
    readonly releaseExpired: (lease: Lease, sequence: bigint) => Effect.Effect<number, LeaseLost>
    /** The batch applied: its payments are confirmed, whatever else was bound there is pending again. */
    readonly settlePaid: (lease: Lease, batch: PaidBatch) => Effect.Effect<ReadonlyArray<number>, LeaseLost>
    /** The batch was included and failed: the guilty end, the others are pending again. */
    readonly settleFailed: (lease: Lease, batch: FailedBatch) => Effect.Effect<void, LeaseLost>
  }
>()("nova/issuance/Batches") {
  static readonly layer = Layer.effect(
    Batches,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const settings = yield* IssuanceSettings
      const identity = yield* DatabaseIdentity

      /** Runs the writes in one transaction that holds the channel's fence. */
      const fenced = <A>(lease: Lease, writes: Effect.Effect<A, LeaseLost, SqlClient.SqlClient>) =>
        fence(lease).pipe(
          Effect.andThen(writes),
          sql.withTransaction,
          Effect.catchTag("SqlError", Effect.die),
          Effect.provideService(SqlClient.SqlClient, sql),
        )

      return Batches.of({
        ...makeReads(sql, settings),
        ...makeEnvelopeWrites(sql, fenced),
        claim: (lease, terms) =>
          claimRewards(lease, terms).pipe(
            sql.withTransaction,
            Effect.orDie,
            Effect.provideService(SqlClient.SqlClient, sql),
            Effect.provideService(IssuanceSettings, settings),
            Effect.provideService(DatabaseIdentity, identity),
          ),
        eject: (lease, sequence, ejections) => fenced(lease, eject(lease.channelId, sequence, ejections)),
        holdBeyondReserve: (lease, sequence, reserve) =>
          fenced(lease, holdBeyondReserve(lease.channelId, sequence, reserve)),
        releaseExpired: (lease, sequence) => fenced(lease, releaseExpired(lease.channelId, sequence)),
        settlePaid: (lease, batch) => fenced(lease, settlePaid(lease.channelId, batch)),
        settleFailed: (lease, batch) => fenced(lease, settleFailed(lease.channelId, batch)),
      })
    }),
  )
}

const makeReads = (sql: SqlClient.SqlClient, settings: IssuanceSettings["Service"]) => {
  const work = Effect.gen(function* () {
    const [row] = yield* sql<{ pending: boolean; paused: boolean }>`
      SELECT EXISTS (SELECT 1 FROM reward_issuances WHERE status = 'pending' AND mode = ${settings.mode}) AS pending,
        EXISTS (SELECT 1 FROM issuance_control WHERE paused_at IS NOT NULL) AS paused`
    return row ?? { pending: false, paused: false }
  }).pipe(Effect.orDie, Effect.withSpan("Batches.work"))

  const inFlight = Effect.fn("Batches.inFlight")(function* (channelIds: ReadonlyArray<number>) {
    // The newest last, by what they offer and not by the clocks of those who signed: first the transaction inside, then
    // its bumps, of which each offers more than all before it.
    const rows = yield* sql<EnvelopeRow>`
      SELECT b.channel_id, b.channel_sequence AS sequence, e.hash, e.inner_hash,
        coalesce(cardinality(e.issuance_ids), 0) AS operations, e.fee_stroops_max, e.ledger_signed, e.ledger_max,
        e.ledger_sent, e.last_answer, e.sends, e.status
      FROM (
        SELECT DISTINCT channel_id, channel_sequence FROM reward_issuances
        WHERE status = 'submitted' AND channel_id = ANY(${channelIds}::int[])
      ) b
      LEFT JOIN stellar_envelopes e ON e.channel_id = b.channel_id AND e.sequence = b.channel_sequence
      ORDER BY b.channel_id, e.ledger_signed, e.inner_hash IS NOT NULL, e.fee_stroops_max, e.hash`
    return yield* Effect.sync(() => group(rows))
  }, Effect.orDie)

  const bound = ({ channelId }: Lease, sequence: bigint) =>
    boundRewards(channelId, sequence).pipe(Effect.provideService(SqlClient.SqlClient, sql))

  const body = Effect.fn("Batches.body")(function* (hash: string) {
    const [row] = yield* sql<EnvelopeBody>`
      SELECT envelope_xdr AS "envelopeXdr", issuance_ids AS "issuanceIds" FROM stellar_envelopes WHERE hash = ${hash}`
    return yield* Effect.fromNullishOr(row)
  }, Effect.orDie)

  const lookAlikes = Effect.fn("Batches.lookAlikes")(function* (lease: Lease, sequence: bigint) {
    const rows = yield* sql<{ id: string }>`
      SELECT r.id FROM reward_issuances r
      WHERE r.status = 'submitted' AND r.channel_id = ${lease.channelId} AND r.channel_sequence = ${sequence}
        AND EXISTS (
          SELECT 1 FROM unmatched_payments u
          WHERE u.resolved_at IS NULL AND u.wallet_account = r.wallet_account AND u.amount_stroops = r.amount_stroops)`
    return rows.map(({ id }) => id)
  }, Effect.orDie)

  return { work, inFlight, bound, body, lookAlikes }
}

type Fenced = <A>(
  lease: Lease,
  writes: Effect.Effect<A, LeaseLost, SqlClient.SqlClient>,
) => Effect.Effect<A, LeaseLost>

const makeEnvelopeWrites = (sql: SqlClient.SqlClient, fenced: Fenced) => {
  const now = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms))

  const recordSigned = Effect.fn("Batches.recordSigned")(function* (lease: Lease, envelope: NewEnvelope) {
    const at = yield* now
    yield* fenced(
      lease,
      Effect.gen(function* () {
        yield* sql`
          INSERT INTO stellar_envelopes (hash, inner_hash, channel_id, sequence, envelope_xdr, issuance_ids,
            ledger_signed, ledger_max, fee_stroops_max, status, created_at, updated_at)
          VALUES (${envelope.hash}, ${envelope.innerHash}, ${lease.channelId}, ${envelope.sequence},
            ${envelope.envelopeXdr}, ${envelope.issuanceIds}::text[], ${envelope.ledgerSigned},
            ${envelope.ledgerMax}, ${envelope.feeStroopsMax}, 'signed', ${at}, ${at})`
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

  return { recordSigned, recordSent, recordExpired }
}
