/**
 * What a merchant may do with a reward that is not on its way: take it back, or have a held one tried again. One
 * transaction each, with its event; the campaign is locked before the reward, as everywhere, because what a cancelled
 * reward was promised is given back to the budget and to the wallet's cap.
 *
 * A reward under review could have been paid already: until an operator has said whether it was, it is neither paid
 * nor given back.
 */
import { Clock, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { Owner } from "../merchant/Owner.ts"
import { canMove, type IssuanceReason, type IssuanceStatus } from "./Issuance.ts"
import { IssuanceNotFound, IssuanceStateConflict } from "./IssuanceErrors.ts"

interface Locked {
  readonly status: IssuanceStatus
  readonly reason: IssuanceReason | null
  readonly campaignStatus: string
}

const described = ({ reason, status }: Locked) => (reason === null ? status : `${status} (${reason})`)

const underReview = ({ reason, status }: Locked) => status === "held" && reason === "under_review"

/** Why it cannot be cancelled; undefined when it can. */
const reasonNotCancellable = (issuance: Locked): string | undefined => {
  if (underReview(issuance))
    return "The issuance is held (under_review): an operator finds out whether it was paid."
  return canMove(issuance.status, "cancelled")
    ? undefined
    : `The issuance is ${described(issuance)}: only one that is pending or held can be cancelled.`
}

/** Why it cannot be tried again; undefined when it can. */
const reasonNotRetryable = (issuance: Locked): string | undefined => {
  if (issuance.status !== "held")
    return `The issuance is ${described(issuance)}: only one that is held can be tried again.`
  if (underReview(issuance))
    return "The issuance is held (under_review): an operator finds out whether it was paid."
  return issuance.campaignStatus === "paused"
    ? `The issuance is ${described(issuance)} and its campaign is paused: resume the campaign first.`
    : undefined
}

export const makeEndIssuance = (sql: SqlClient.SqlClient) => {
  const owned = (owner: Owner, id: string) =>
    sql`r.id = ${id} AND r.merchant_id = ${owner.merchantId} AND r.mode = ${owner.mode}`

  const lock = Effect.fnUntraced(function* (owner: Owner, id: string) {
    // The campaign of a reward never changes, so that it can be locked before the reward is.
    const [campaign] = yield* sql<{ status: string }>`
      SELECT c.status FROM campaigns c
      WHERE c.id = (SELECT r.campaign_id FROM reward_issuances r WHERE ${owned(owner, id)})
      FOR NO KEY UPDATE`
    const [issuance] = yield* sql<Pick<Locked, "status" | "reason">>`
      SELECT r.status, r.reason FROM reward_issuances r WHERE ${owned(owner, id)} FOR NO KEY UPDATE`
    if (campaign === undefined || issuance === undefined)
      return yield* new IssuanceNotFound({ message: "There is no issuance with this id." })
    return { ...issuance, campaignStatus: campaign.status } satisfies Locked
  })

  const giveBack = (id: string, from: IssuanceStatus, at: Date) => sql`
    WITH ended AS (
      UPDATE reward_issuances SET status = 'cancelled', reason = NULL, held_check_at = NULL, updated_at = ${at}
      WHERE id = ${id}
      RETURNING id, campaign_id, wallet_account, cap_period_start, amount_stroops
    ), events AS (
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
      SELECT id, ${at}, ${from}, 'cancelled', 'by_request' FROM ended
    ), caps AS (
      UPDATE campaign_wallet_usage u SET used_stroops = u.used_stroops - ended.amount_stroops
      FROM ended WHERE u.campaign_id = ended.campaign_id AND u.wallet_account = ended.wallet_account
        AND u.period_start = ended.cap_period_start
    )
    UPDATE campaigns c SET reserved_stroops = c.reserved_stroops - ended.amount_stroops, updated_at = ${at}
    FROM ended WHERE c.id = ended.campaign_id`

  const cancel = Effect.fn("Issuances.cancel")(
    function* (owner: Owner, id: string) {
      const issuance = yield* lock(owner, id)
      const refusal = reasonNotCancellable(issuance)
      if (refusal !== undefined) return yield* new IssuanceStateConflict({ message: refusal })
      yield* giveBack(id, issuance.status, new Date(yield* Clock.currentTimeMillis))
    },
    sql.withTransaction,
    Effect.catchTag("SqlError", (error) => Effect.die(error)),
  )

  const retry = Effect.fn("Issuances.retry")(
    function* (owner: Owner, id: string) {
      const refusal = reasonNotRetryable(yield* lock(owner, id))
      if (refusal !== undefined) return yield* new IssuanceStateConflict({ message: refusal })
      const at = new Date(yield* Clock.currentTimeMillis)
      yield* sql`
        WITH freed AS (
          UPDATE reward_issuances SET status = 'pending', reason = NULL, held_check_at = NULL, updated_at = ${at}
          WHERE id = ${id} RETURNING id
        )
        INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
        SELECT id, ${at}, 'held', 'pending', 'by_request' FROM freed`
    },
    sql.withTransaction,
    Effect.catchTag("SqlError", (error) => Effect.die(error)),
  )

  return { cancel, retry }
}
