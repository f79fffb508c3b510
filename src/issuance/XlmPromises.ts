/**
 * XLM of the distribution account that is promised to transactions on their way: what claimable balances in flight will
 * reserve, and what the open upkeep transaction will take.
 *
 * Invariant: nobody promises XLM that somebody else has promised. How it would break: two who decide at once, each
 * blind to the other; so whoever promises takes the lock on `issuance_control` first, and reads the promises after it.
 * Or a promise that is settled by now, while the balance was read before: then it counts for neither; so the balance
 * must not be older than the newest settlement. One that the ledger has kept already, but that is not settled here yet,
 * counts twice: that errs on the safe side, and not for long.
 *
 * The lock comes after campaigns, or is taken alone.
 *
 * Sources: CAP-23 (claimable balances), CAP-33 (sponsored reserves)
 */
import { xdr } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { BASE_RESERVE_STROOPS } from "./LedgerAccounts.ts"

/** Of a claimable balance: one base reserve for each of its two claimants, stroops. */
export const BALANCE_RESERVE_STROOPS = 2n * BASE_RESERVE_STROOPS

/** Of an account without subentries, stroops. */
export const ACCOUNT_RESERVE_STROOPS = 2n * BASE_RESERVE_STROOPS

const takenBy = ({ body }: xdr.Operation): bigint => {
  switch (body.type) {
    case "payment":
      return body.paymentOp.asset.type === "assetTypeNative" ? body.paymentOp.amount : 0n
    // Channels are made with sponsored reserves.
    case "createAccount":
      return body.createAccountOp.startingBalance + ACCOUNT_RESERVE_STROOPS
    default:
      return 0n
  }
}

/**
 * XLM that an upkeep transaction (envelope, base64 XDR) takes from what the distribution account can spend, in stroops:
 * amounts, the highest fee, and reserves of the accounts that it creates. Pure. What it gives back (the reserve of a
 * balance that is taken back) does not count before the ledger shows it.
 */
export const xlmTakenBy = (envelopeXdr: string): bigint => {
  const envelope = xdr.TransactionEnvelope.fromXDR(envelopeXdr, "base64")
  if (envelope.type !== "envelopeTypeTx") throw new Error(`an upkeep transaction is no ${envelope.type}`)
  const { fee, operations } = envelope.v1.tx
  return operations.reduce((sum, operation) => sum + takenBy(operation), BigInt(fee))
}

export interface XlmPromises {
  readonly balancesStroops: bigint
  readonly upkeepStroops: bigint
  /** The newest ledger of which anything is settled; 0 before the first. */
  readonly settledLedger: number
}

/** Whoever promises XLM waits until the caller's transaction ends. */
export const lockXlm = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`SELECT 1 FROM issuance_control WHERE id = 1 FOR UPDATE`
}).pipe(Effect.withSpan("XlmPromises.lock"))

/**
 * What is promised, but for the batch at `channelId` and `sequence`. One statement, so that what is settled meanwhile is
 * either promised or in `settledLedger`.
 */
export const promisesBeside = Effect.fn("XlmPromises.beside")(function* (
  channelId: number,
  sequence: bigint,
) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ balances: number; upkeep: string | null; settled: bigint | null }>`
    SELECT (
        SELECT count(*)::int FROM reward_issuances
        WHERE status = 'submitted' AND payout = 'claimable_balance'
          AND (channel_id, channel_sequence) <> (${channelId}::int, ${sequence}::bigint)) AS balances,
      (SELECT envelope_xdr FROM upkeep_transactions WHERE status = 'signed') AS upkeep,
      greatest(
        (SELECT max(ledger) FROM stellar_envelopes WHERE status = 'applied'),
        (SELECT max(ledger) FROM upkeep_transactions WHERE status IN ('applied', 'failed'))) AS settled`
  const upkeep = row?.upkeep ?? null
  return {
    balancesStroops: BigInt(row?.balances ?? 0) * BALANCE_RESERVE_STROOPS,
    upkeepStroops: upkeep === null ? 0n : yield* Effect.sync(() => xlmTakenBy(upkeep)),
    settledLedger: Number(row?.settled ?? 0n),
  } satisfies XlmPromises
}, Effect.orDie)

/** All that is promised. Without the lock it is a guess for whoever only looks. */
export const allPromises = promisesBeside(-1, -1n)

/** What the distribution account can spend, stroops, by the answer of `latestLedger`. */
export interface SpendableXlm {
  readonly availableStroops: bigint
  readonly latestLedger: number
}

/** What of that is promised to nobody, stroops; negative where too much is. None where the answer is too old. Pure. */
export const unpromised = (
  { availableStroops, latestLedger }: SpendableXlm,
  { balancesStroops, settledLedger, upkeepStroops }: XlmPromises,
): bigint | undefined =>
  settledLedger > latestLedger ? undefined : availableStroops - balancesStroops - upkeepStroops

/** The same for the next upkeep transaction: none either while another one is open, since there is one at a time. Pure. */
export const leftForUpkeep = (xlm: SpendableXlm, promises: XlmPromises): bigint | undefined =>
  promises.upkeepStroops > 0n ? undefined : unpromised(xlm, promises)
