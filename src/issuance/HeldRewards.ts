/**
 * Held rewards that wait for their recipient: the ledger is asked again and again, and what can be paid is pending
 * again. A trustline that appears emits no event, so there is nothing to listen to.
 *
 * Invariant: a reward is freed only if it is still held as it was when its recipient was looked at, and its campaign
 * is not paused. `held_check_at` is the fence: taking rows moves it, and whoever changes a hold moves it too. How it
 * would break: freeing by id alone, after an operator or a merchant has decided otherwise in between.
 */
import { Asset } from "@stellar/stellar-sdk"
import { Clock, Effect, Metric } from "effect"
import { SqlClient } from "effect/sql"
import { balanceRoom } from "./BalanceReserve.ts"
import { IssuanceReason } from "./Issuance.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { KEYS_MAX, readLedgerEntries, trustlineKey } from "./LedgerEntries.ts"
import { Preflight, type PreflightPayment } from "./Preflight.ts"

/** Rewards that are looked at in one round. */
const ROUND_MAX = 1_000

/** How long a worker may take to look; then others may, in ms. */
const TAKEN_MS = 60_000

const PAUSE_MS_MIN = 5_000
const PAUSE_MS_MAX = 600_000

/** A reward is looked at again after this part of the time that it has been held. */
const PAUSE_PART = 10

const held = Metric.gauge("issuance.held", { description: "Held rewards, by reason" })
const freedTotal = Metric.counter("issuance.held_freed_total", {
  description: "Held rewards whose recipient could be paid at last",
  incremental: true,
})

interface TakenReward extends PreflightPayment {
  readonly reason: IssuanceReason
  readonly heldSince: Date
  /** Whether its campaign would leave it as a claimable balance, which needs no trustline but XLM of ours. */
  readonly asBalance: boolean
}

/** Ms until the ledger is asked again: 5 s in the first minute, then a tenth of the time held, at most 10 min. */
export const pauseMs = (heldMs: number): number =>
  Math.round(Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, heldMs / PAUSE_PART)))

/** What a person decides about; also without a time to look again, but that is not for this code to rely on. */
const FOR_PERSONS: ReadonlyArray<IssuanceReason> = ["under_review", "campaign_paused"]

/** Those that are due, taken so that no other worker looks at them at the same time. */
const take = Effect.fnUntraced(function* (now: Date, takenUntil: Date) {
  const sql = yield* SqlClient.SqlClient
  const { mode } = yield* IssuanceSettings
  const rows = yield* sql<TakenReward>`
    UPDATE reward_issuances r SET held_check_at = ${takenUntil}
    FROM campaigns c
    WHERE c.id = r.campaign_id AND r.id IN (
      SELECT id FROM reward_issuances WHERE status = 'held' AND held_check_at <= ${now} AND mode = ${mode}
        AND reason <> ALL(${FOR_PERSONS}::text[])
      ORDER BY held_check_at LIMIT ${ROUND_MAX} FOR UPDATE SKIP LOCKED)
    RETURNING r.id AS "issuanceId", r.wallet_address AS "walletAddress", r.wallet_account AS "walletAccount",
      r.amount_stroops AS "amountStroops", r.reason, r.updated_at AS "heldSince",
      c.on_missing_trustline = 'claimable_balance' AND r.wallet_address LIKE 'G%' AS "asBalance"`
  return rows.toSorted((a, b) => (a.issuanceId < b.issuanceId ? -1 : 1))
})

/** The wallets that have a trustline now, 200 in one call. */
const withLine = Effect.fnUntraced(function* (wallets: ReadonlySet<string>) {
  const { assetCode, assetIssuer } = yield* IssuanceSettings
  const asset = new Asset(assetCode, assetIssuer)
  const keys = [...wallets].map((wallet) => ({ wallet, key: trustlineKey(wallet, asset) }))
  const found = new Set<string>()
  for (let from = 0; from < keys.length; from += KEYS_MAX) {
    const chunk = keys.slice(from, from + KEYS_MAX)
    const { entries } = yield* readLedgerEntries(chunk.map(({ key }) => key))
    for (const { key, wallet } of chunk) if (entries.has(key)) found.add(wallet)
  }
  return found
})

const LINELESS: ReadonlyArray<IssuanceReason | undefined> = ["no_trustline", "no_account"]

const isLineless = ({ reason }: TakenReward) => LINELESS.includes(reason)

/** Why each of them cannot be paid yet, by issuance; those that are absent can. */
const findReasons = Effect.fnUntraced(function* (taken: ReadonlyArray<TakenReward>) {
  const preflight = yield* Preflight
  const lineless = taken.filter(isLineless)
  const lines = yield* withLine(new Set(lineless.map(({ walletAccount }) => walletAccount)))
  const isCandidate = (reward: TakenReward) =>
    !isLineless(reward) || lines.has(reward.walletAccount) || reward.asBalance
  const { refused, unseen } = yield* preflight.check(taken.filter(isCandidate), 0)
  const waiting = taken.filter((reward) => !isCandidate(reward) || unseen.has(reward.issuanceId))
  const reasons = new Map([
    ...waiting.map(({ issuanceId, reason }) => [issuanceId, reason] as const),
    ...refused,
  ])
  // These are held for want of XLM; without a trustline they can be paid as soon as it can reserve them.
  const balances = taken.filter(
    ({ asBalance, issuanceId }) => asBalance && LINELESS.includes(reasons.get(issuanceId)),
  )
  const room = balances.length > 0 ? yield* balanceRoom() : 0
  for (const { issuanceId } of balances.slice(0, room)) reasons.delete(issuanceId)
  return reasons
})

/** Pending again, unless the campaign is paused or the hold has changed; the campaigns are locked before the rows. */
const free = Effect.fnUntraced(function* (ids: ReadonlyArray<string>, takenUntil: Date, at: Date) {
  if (ids.length === 0) return 0
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    SELECT id FROM campaigns WHERE id IN (SELECT campaign_id FROM reward_issuances WHERE id = ANY(${ids}::text[]))
    ORDER BY id FOR NO KEY UPDATE`
  const freed = yield* sql`
    WITH freed AS (
      UPDATE reward_issuances r SET status = 'pending', reason = NULL, held_check_at = NULL, updated_at = ${at}
      FROM campaigns c
      WHERE c.id = r.campaign_id AND c.status <> 'paused'
        AND r.id = ANY(${ids}::text[]) AND r.status = 'held' AND r.held_check_at = ${takenUntil}
      RETURNING r.id
    )
    INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
    SELECT id, ${at}, 'held', 'pending', 'payable' FROM freed RETURNING issuance_id`
  return freed.length
})

/** The rest waits on, each by how long it has been held already. A new reason starts that time anew. */
const postpone = Effect.fnUntraced(function* (
  taken: ReadonlyArray<TakenReward>,
  reasons: ReadonlyMap<string, IssuanceReason>,
  takenUntil: Date,
  at: Date,
) {
  const sql = yield* SqlClient.SqlClient
  const rows = taken.map(({ heldSince, issuanceId, reason }) => ({
    id: issuanceId,
    reason: reasons.get(issuanceId) ?? reason,
    checkAt: new Date(at.getTime() + pauseMs(at.getTime() - heldSince.getTime())),
  }))
  yield* sql`
    UPDATE reward_issuances r SET held_check_at = p.check_at, reason = p.reason,
      updated_at = CASE WHEN r.reason = p.reason THEN r.updated_at ELSE ${at}::timestamptz END
    FROM unnest(${rows.map(({ id }) => id)}::text[], ${rows.map(({ reason }) => reason)}::text[],
      ${rows.map(({ checkAt }) => checkAt)}::timestamptz[]) AS p (id, reason, check_at)
    WHERE r.id = p.id AND r.status = 'held' AND r.held_check_at = ${takenUntil}`
})

/**
 * Looks at the held rewards that are due, 200 wallets without a trustline in one call; answers with how many are
 * pending again.
 *
 * @error SorobanRpcError where the node gave no answer; they are looked at again after a minute then
 */
export const freeHeldRewards = Effect.fn("HeldRewards.free")(function* () {
  const sql = yield* SqlClient.SqlClient
  const nowMs = yield* Clock.currentTimeMillis
  const takenUntil = new Date(nowMs + TAKEN_MS)
  const taken = yield* take(new Date(nowMs), takenUntil).pipe(Effect.orDie)
  if (taken.length === 0) return 0
  const reasons = yield* findReasons(taken)
  const at = new Date(yield* Clock.currentTimeMillis)
  const payable = taken
    .filter(({ issuanceId }) => !reasons.has(issuanceId))
    .map((reward) => reward.issuanceId)
  const freed = yield* free(payable, takenUntil, at).pipe(
    Effect.tap(postpone(taken, reasons, takenUntil, at)),
    sql.withTransaction,
    Effect.orDie,
  )
  yield* Metric.update(freedTotal, freed)
  if (freed > 0) yield* Effect.logInfo(`${freed} held rewards can be paid now`)
  return freed
})

/** Brings the gauge up to date. */
export const measureHeld = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { mode } = yield* IssuanceSettings
  const rows = yield* sql<{ reason: string; count: number }>`
    SELECT reason, count(*)::int AS count FROM reward_issuances WHERE status = 'held' AND mode = ${mode}
    GROUP BY reason`.pipe(Effect.orDie)
  const counts = new Map(rows.map(({ count, reason }) => [reason, count]))
  for (const reason of IssuanceReason.literals) {
    yield* Metric.update(Metric.withAttributes(held, { reason }), counts.get(reason) ?? 0)
  }
})
