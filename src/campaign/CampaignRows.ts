/** A campaign as its row has it. */
import type { SqlClient } from "effect/sql"
import type { Owner } from "../merchant/Owner.ts"

/** Columns of `Campaign`, by its names. */
export const campaignColumns = (sql: SqlClient.SqlClient) => sql`
  id, name, status, starts_at AS "startsAt", ends_at AS "endsAt", budget_stroops AS "budgetStroops",
  reserved_stroops AS "reservedStroops", spent_stroops AS "spentStroops",
  on_missing_trustline AS "onMissingTrustline", reclaim_after_s AS "reclaimAfterS",
  wallet_cap_stroops AS "walletCapStroops", wallet_cap_period AS "walletCapPeriod", created_at AS "createdAt"`

/** Whose campaigns are seen. */
export const ownedBy = (sql: SqlClient.SqlClient, owner: Owner) =>
  sql`merchant_id = ${owner.merchantId} AND mode = ${owner.mode}`
