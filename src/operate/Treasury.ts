/**
 * What there is to pay with, what is promised of it, and how long the rest will last.
 *
 * Invariant: balances are of one ledger, and promises are read after it, so what was paid in between counts as promised
 * a moment too long rather than as free.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Channels } from "../issuance/Channels.ts"
import { IssuanceSettings } from "../issuance/IssuanceSettings.ts"
import { readTreasury } from "../issuance/LedgerAccounts.ts"
import { Signer } from "../ports/Signer.ts"

/** Amounts in stroops. */
export interface TreasuryStatus {
  /** Why nothing is paid now; null where issuing is not paused. */
  readonly paused: string | null
  /** The ledger that the balances are of. */
  readonly ledger: number
  readonly distributionAddress: string
  /** "CODE:ISSUER" */
  readonly asset: string
  /** Of the asset; 0 without a trustline. */
  readonly balanceStroops: bigint
  /** Bound to a transaction that has no verdict yet: the float. */
  readonly submittedStroops: bigint
  readonly pendingStroops: bigint
  readonly heldStroops: bigint
  /** What is left when all of that is paid; negative where it cannot be. */
  readonly freeStroops: bigint
  /** Left as claimable balances that are still open: off the balance, and perhaps coming back. */
  readonly openBalancesStroops: bigint
  readonly xlm: {
    readonly distributionStroops: bigint
    /** Above the minimum balance. */
    readonly distributionAvailableStroops: bigint
    readonly channelsStroops: bigint
    /** The channel with the least to spend; undefined without channels. */
    readonly lowest: { readonly channelId: number; readonly availableStroops: bigint } | undefined
  }
  /** Confirmed in the last seven days. */
  readonly paidStroops: bigint
  /** Average of the days in which there was anything to count, seven at most, one at least. */
  readonly paidPerDayStroops: bigint
  /** Days for which the free amount lasts at that pace; undefined where nothing was paid. */
  readonly daysLeft: number | undefined
}

const DAY_MS = 86_400_000
const WINDOW_DAYS = 7

interface Promised {
  readonly submitted: bigint
  readonly pending: bigint
  readonly held: bigint
  readonly balances: bigint
}

const readPromised = Effect.fnUntraced(function* (mode: "live" | "test") {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<Promised>`
    SELECT coalesce(sum(amount_stroops) FILTER (WHERE status = 'submitted'), 0)::bigint AS submitted,
      coalesce(sum(amount_stroops) FILTER (WHERE status = 'pending'), 0)::bigint AS pending,
      coalesce(sum(amount_stroops) FILTER (WHERE status = 'held'), 0)::bigint AS held, (
        SELECT coalesce(sum(r.amount_stroops), 0)::bigint FROM claimable_balances b
        JOIN reward_issuances r ON r.id = b.issuance_id WHERE b.status = 'open' AND r.mode = ${mode}) AS balances
    FROM reward_issuances WHERE status IN ('pending', 'submitted', 'held') AND mode = ${mode}`
  return row ?? { submitted: 0n, pending: 0n, held: 0n, balances: 0n }
}, Effect.orDie)

const readPace = Effect.fnUntraced(function* (mode: "live" | "test", nowMs: number) {
  const sql = yield* SqlClient.SqlClient
  const since = new Date(nowMs - WINDOW_DAYS * DAY_MS)
  const [row] = yield* sql<{ paid: bigint; first: Date | null }>`
    SELECT coalesce(sum(amount_stroops), 0)::bigint AS paid, min(confirmed_at) AS first FROM reward_issuances
    WHERE status = 'confirmed' AND mode = ${mode} AND confirmed_at >= ${since}`
  const paid = row?.paid ?? 0n
  const ageMs = nowMs - (row?.first?.getTime() ?? nowMs)
  const windowMs = Math.min(WINDOW_DAYS * DAY_MS, Math.max(DAY_MS, ageMs))
  return { paid, perDay: (paid * BigInt(DAY_MS)) / BigInt(windowMs) }
}, Effect.orDie)

const readPause = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ reason: string | null }>`SELECT paused_reason AS reason FROM issuance_control`
  return row?.reason ?? null
}).pipe(Effect.orDie)

/** Days, rounded down to a tenth. */
const daysOf = (freeStroops: bigint, perDay: bigint): number | undefined => {
  if (perDay === 0n) return undefined
  return freeStroops <= 0n ? 0 : Number((freeStroops * 10n) / perDay) / 10
}

/** @error SorobanRpcError when the node gives no answer */
export const treasuryStatus = Effect.fn("Treasury.treasuryStatus")(function* () {
  const { assetCode, assetIssuer, mode } = yield* IssuanceSettings
  const { distributionAddress } = yield* Signer
  const channels = yield* Channels.use(({ list }) => list)
  const view = yield* readTreasury(channels.map(({ address }) => address))
  const promised = yield* readPromised(mode)
  const pace = yield* readPace(mode, yield* Clock.currentTimeMillis)
  const balanceStroops = view.treasury?.assetStroops ?? 0n
  const freeStroops = balanceStroops - promised.submitted - promised.pending - promised.held
  const accounts = channels.flatMap(({ address, id }) => {
    const account = view.accounts.get(address)
    return account === undefined ? [] : [{ ...account, channelId: id }]
  })
  const [lowest] = accounts.toSorted((a, b) => (a.availableStroops < b.availableStroops ? -1 : 1))
  return {
    paused: yield* readPause,
    ledger: view.latestLedger,
    distributionAddress,
    asset: `${assetCode}:${assetIssuer}`,
    balanceStroops,
    submittedStroops: promised.submitted,
    pendingStroops: promised.pending,
    heldStroops: promised.held,
    freeStroops,
    openBalancesStroops: promised.balances,
    xlm: {
      distributionStroops: view.accounts.get(distributionAddress)?.balanceStroops ?? 0n,
      distributionAvailableStroops: view.treasury?.nativeAvailableStroops ?? 0n,
      channelsStroops: accounts.reduce((sum, account) => sum + account.balanceStroops, 0n),
      lowest: lowest && { channelId: lowest.channelId, availableStroops: lowest.availableStroops },
    },
    paidStroops: pace.paid,
    paidPerDayStroops: pace.perDay,
    daysLeft: daysOf(freeStroops, pace.perDay),
  } satisfies TreasuryStatus as TreasuryStatus
})
