/**
 * Claimable balances that were taken back after the dump, found in the distribution account's own transactions.
 *
 * Invariant: a balance that a transaction of the distribution account claimed ends as `reclaimed`, and its campaign's
 * budget has the amount again. How it would break: the upkeep finds that the balance is gone, knows of no transaction
 * of ours that took it, and calls it claimed by its recipient; so this belongs before any worker starts, and what is
 * found here is stored, also for balances whose rewards are matched by hand only later.
 *
 * The account's history is that of every payment, so it is read only where a balance may have been taken back, and from
 * the newest ledger before which nothing of ours can be unknown.
 */
import { Clock, Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { recordReclaimed } from "../issuance/ClaimableBalanceRows.ts"
import { endUpkeep, openUpkeep } from "../issuance/UpkeepTransactions.ts"
import { Horizon } from "../ports/Horizon.ts"
import { cursorOfLedger, HistoryIncomplete, LAG, PAGE } from "./ChannelHistory.ts"
import { type LedgerTransaction, type Payer, readLedgerTransaction } from "./LedgerTransaction.ts"

/** More than an upkeep transaction ever lives, in ledgers. */
const UPKEEP_LEDGERS_MAX = 100

/**
 * The ledger from which unknown transactions of the distribution account are looked for; undefined where none of them
 * could matter: no balance is due, and none of ours is without an end. They are sent one at a time, each after the end
 * of the one before, so none is unknown that is older than one whose end is known.
 */
export const reclaimsFrom = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const now = new Date(yield* Clock.currentTimeMillis)
  const [row] = yield* sql<{ wanted: bigint | null; known: bigint | null }>`
    SELECT least(
      (SELECT min(r.ledger) FROM claimable_balances b JOIN reward_issuances r ON r.id = b.issuance_id
        WHERE b.status = 'open' AND b.reclaim_after < ${now}),
      (SELECT min(ledger) FROM unmatched_payments WHERE resolved_at IS NULL AND reclaim_after < ${now}),
      (SELECT min(ledger_max) - ${UPKEEP_LEDGERS_MAX} FROM upkeep_transactions WHERE status = 'signed')
    ) AS wanted, (
      SELECT max(ledger) FROM upkeep_transactions WHERE status IN ('applied', 'failed')
    ) AS known`
  if (row === undefined || row.wanted === null) return undefined
  return Math.max(1, Number(row.wanted), Number(row.known ?? 0n))
}).pipe(Effect.orDie, Effect.withSpan("RecoverReclaims.from"))

/** Waits for a Horizon that is behind. */
const untilHorizonShows = Effect.fnUntraced(function* (ledger: number) {
  const horizon = yield* Horizon
  yield* horizon.root.pipe(
    Effect.filterOrFail(
      ({ latestLedger }) => latestLedger >= ledger,
      ({ latestLedger }) =>
        new HistoryIncomplete({
          message: `Horizon knows ledgers up to ${latestLedger} only, though ledger ${ledger} has closed: wait, or point HORIZON_URL at one that keeps up.`,
        }),
    ),
    Effect.retry({
      schedule: LAG,
      while: (error) => error._tag === "HistoryIncomplete" || error.retry === "backoff",
    }),
  )
})

/**
 * Runs `f` on each transaction that the distribution account is the source of, or claims a balance in, oldest first.
 *
 * @error HistoryIncomplete when Horizon stays behind `upToLedger`; HorizonError when it gives no answer
 */
export const forEachOwn = Effect.fn("RecoverReclaims.forEachOwn")(function* <A, E, R>(
  span: { readonly fromLedger: number; readonly upToLedger: number },
  payer: Payer,
  f: (transaction: LedgerTransaction) => Effect.Effect<A, E, R>,
) {
  const horizon = yield* Horizon
  const address = payer.distributionAddress
  yield* untilHorizonShows(span.upToLedger)
  let cursor = Option.some(cursorOfLedger(span.fromLedger))
  while (true) {
    const page = yield* horizon
      .transactions(address, { cursor, limit: PAGE, order: "asc" })
      .pipe(Effect.retry({ schedule: LAG, while: ({ retry }) => retry === "backoff" }))
    const last = page.at(-1)
    if (last === undefined) return
    for (const record of page) {
      const transaction = readLedgerTransaction(record, payer)
      if (transaction === undefined) continue
      if (transaction.source === address || transaction.claims.length > 0) yield* f(transaction)
    }
    cursor = Option.some(last.pagingToken)
  }
})

/** The end of the upkeep transaction that was on its way at the dump, if this is its sequence. */
const endOpenUpkeep = Effect.fnUntraced(function* (transaction: LedgerTransaction) {
  const open = yield* openUpkeep
  if (open === undefined || open.sequence !== transaction.sequence) return
  const { ledger, resultXdr, successful } = transaction
  yield* transaction.hash === open.hash
    ? endUpkeep(open, { status: successful ? "applied" : "failed", ledger, resultXdr })
    : endUpkeep(open, { status: "expired" })
})

/**
 * Books what one transaction of the distribution account took back, inside the caller's transaction. Answers with the
 * rewards whose balances it took; repeating changes nothing. A balance that was called claimed for want of knowledge is
 * mended.
 */
export const bookReclaims = Effect.fn("RecoverReclaims.book")(function* (
  transaction: LedgerTransaction,
  { distributionAddress }: Payer,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  const { claims, hash, ledger, sequence } = transaction
  const isOwn = transaction.source === distributionAddress
  const taken = yield* sql<{ issuance_id: string; balance_id: string; status: string }>`
    SELECT issuance_id, balance_id, status FROM claimable_balances WHERE balance_id = ANY(${claims}::text[])`
  if (isOwn) yield* endOpenUpkeep(transaction)
  if (!transaction.successful || claims.length === 0) return []
  yield* sql`
    UPDATE claimable_balances SET status = 'open', updated_at = ${at}
    WHERE balance_id = ANY(${claims}::text[]) AND status = 'claimed'`
  yield* recordReclaimed(
    taken.map((row) => row.issuance_id),
    { txHash: hash, ledger },
  )
  if (isOwn && claims.length === transaction.operations) {
    const issuanceOf = new Map(taken.map((row) => [row.balance_id, row.issuance_id]))
    // A reward that is lost has no name: then the balance's own.
    const subjects = claims.map((balanceId) => issuanceOf.get(balanceId) ?? balanceId)
    yield* sql`
      INSERT INTO upkeep_transactions (hash, purpose, sequence, envelope_xdr, subjects, ledger_max, status, result_xdr,
        ledger, created_at, updated_at)
      VALUES (${hash}, 'reclaim', ${sequence}, ${transaction.envelopeXdr}, ${subjects}::text[],
        ${transaction.ledgerMax ?? ledger + 1}, 'applied', ${transaction.resultXdr}, ${ledger}, ${at}, ${at})
      ON CONFLICT (hash) DO NOTHING`
  }
  return taken.filter(({ status }) => status !== "reclaimed").map((row) => row.issuance_id)
}, Effect.orDie)

/** A reward is confirmed by hand whose balance had been taken back already: that is known by the balance's own name. */
export const bookLostReclaim = Effect.fn("RecoverReclaims.bookLost")(function* (
  issuanceId: string,
  balanceId: string,
) {
  const sql = yield* SqlClient.SqlClient
  const [reclaim] = yield* sql<{ hash: string; ledger: bigint }>`
    SELECT hash, ledger FROM upkeep_transactions
    WHERE purpose = 'reclaim' AND status = 'applied' AND ${balanceId} = ANY(subjects)`
  if (reclaim === undefined) return
  yield* recordReclaimed([issuanceId], { txHash: reclaim.hash, ledger: Number(reclaim.ledger) })
}, Effect.orDie)
