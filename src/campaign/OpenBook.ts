/**
 * The budget book of a transaction: locks the campaigns, reads what their wallets have used, and writes back what was
 * promised with one update for each campaign and each wallet.
 *
 * Locks are taken in the order of the campaigns' ids, as everybody takes them, so that two transactions that share
 * campaigns wait for each other and never in a circle. NO KEY UPDATE lets others go on inserting rows that refer to a
 * campaign. Look-ups by a list are planned each time: a plan that was kept from when a table was small reads all of it.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import {
  type BudgetBook,
  type LockedCampaign,
  makeBudgetBook,
  type PromiseRequest,
  usageOf,
  type WalletUsage,
} from "./BudgetBook.ts"
import { campaignColumns } from "./CampaignRows.ts"

export interface OpenBook extends Pick<BudgetBook, "find" | "promise"> {
  /** Writes the promises; the transaction's last statement but its commit. */
  readonly write: (at: Date) => Effect.Effect<void>
}

const readUsage = (
  sql: SqlClient.SqlClient,
  campaigns: ReadonlyArray<LockedCampaign>,
  requests: ReadonlyArray<PromiseRequest>,
): Effect.Effect<ReadonlyArray<WalletUsage>> => {
  const capped = new Map(
    campaigns.filter((campaign) => campaign.walletCapPeriod !== null).map((each) => [each.id, each]),
  )
  const wanted = requests.flatMap((request) => {
    const campaign = capped.get(request.campaignId)
    return (campaign && usageOf(campaign, request)) ?? []
  })
  if (wanted.length === 0) return Effect.succeed([])
  return sql<WalletUsage>`
    SELECT campaign_id AS "campaignId", wallet_account AS "walletAccount", period_start AS "periodStart",
      used_stroops AS "usedStroops"
    FROM campaign_wallet_usage WHERE (campaign_id, wallet_account, period_start) IN (
      SELECT * FROM unnest(${wanted.map((row) => row.campaignId)}::text[],
        ${wanted.map((row) => row.walletAccount)}::text[], ${wanted.map((row) => row.periodStart)}::timestamptz[])
    )`.unprepared.pipe(Effect.orDie)
}

const writeBook = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, book: BudgetBook, at: Date) {
  const promised = book.promised()
  if (promised.length === 0) return
  yield* sql`
    UPDATE campaigns c SET reserved_stroops = c.reserved_stroops + p.stroops, updated_at = ${at}
    FROM unnest(${promised.map((each) => each.campaignId)}::text[],
      ${promised.map((each) => each.stroops)}::bigint[]) AS p (id, stroops)
    WHERE c.id = p.id`
  const used = book.used()
  if (used.length === 0) return
  yield* sql`
    INSERT INTO campaign_wallet_usage AS u (campaign_id, wallet_account, period_start, cap_stroops, used_stroops)
    SELECT * FROM unnest(${used.map((row) => row.campaignId)}::text[],
      ${used.map((row) => row.walletAccount)}::text[], ${used.map((row) => row.periodStart)}::timestamptz[],
      ${used.map((row) => row.capStroops)}::bigint[], ${used.map((row) => row.usedStroops)}::bigint[])
      AS n (campaign_id, wallet_account, period_start, cap_stroops, used_stroops)
    ORDER BY campaign_id, wallet_account, period_start
    ON CONFLICT ON CONSTRAINT campaign_wallet_usage_key
      DO UPDATE SET used_stroops = u.used_stroops + EXCLUDED.used_stroops`
}, Effect.orDie)

export const makeOpenBook = (sql: SqlClient.SqlClient) =>
  Effect.fn("Campaigns.openBook")(function* (requests: ReadonlyArray<PromiseRequest>) {
    const campaigns = yield* sql<LockedCampaign>`
      SELECT ${campaignColumns(sql)}, merchant_id AS "merchantId", mode FROM campaigns
      WHERE (id, merchant_id, mode) IN (
        SELECT * FROM unnest(${requests.map((request) => request.campaignId)}::text[],
          ${requests.map((request) => request.owner.merchantId)}::text[],
          ${requests.map((request) => request.owner.mode)}::text[])
      ) ORDER BY id FOR NO KEY UPDATE`.unprepared.pipe(Effect.orDie)
    const usage = yield* readUsage(sql, campaigns, requests)
    const book = makeBudgetBook(campaigns, usage)
    const open: OpenBook = {
      find: book.find,
      promise: book.promise,
      write: (at) => writeBook(sql, book, at),
    }
    return open
  })
