/** Rewards of several merchants and campaigns, to G and M addresses, as the API accepts them; and their laws. */
import { expect } from "bun:test"
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { accountOf } from "../../src/kernel/StellarAddress.ts"
import { CAMPAIGN, issuances, type TestNetwork } from "../support/IssuanceScene.ts"
import { distribution, issuer, paymentsOf } from "../support/TestNetwork.ts"

export interface TableReward {
  /** By number; 0 is the scene's own merchant, with its campaign. */
  readonly merchant?: number
  /** G... or M... */
  readonly wallet: string
  readonly amountStroops: bigint
  readonly priority?: -1 | 0 | 1
}

const SCENE_MERCHANT = CAMPAIGN.replace("cmp_", "mer_")
const idOf = (prefix: string, number: number) => `${prefix}_${String(number).padStart(26, "0")}`
const merchantOf = (number = 0) => (number === 0 ? SCENE_MERCHANT : idOf("mer", number))
const campaignOf = (number = 0) => (number === 0 ? CAMPAIGN : idOf("cmp", number))

/** Merchants by number, each with a campaign of one million. */
export const addMerchants = Effect.fnUntraced(function* (...numbers: ReadonlyArray<number>) {
  const sql = yield* SqlClient.SqlClient
  const now = new Date(yield* Clock.currentTimeMillis)
  const ids = numbers.map(merchantOf)
  yield* sql`INSERT INTO merchants (id, name, created_at) SELECT id, id, ${now} FROM unnest(${ids}::text[]) AS id`
  yield* sql`
    INSERT INTO campaigns (id, merchant_id, mode, name, status, starts_at, budget_stroops, created_at, updated_at)
    SELECT c, m, 'test', c, 'active', ${now}, 10000000000000, ${now}, ${now}
    FROM unnest(${numbers.map(campaignOf)}::text[], ${ids}::text[]) AS campaign (c, m)`
})

let accepted = 0

/** Answers with the ids, in order: they are also the order of age. */
export const acceptAll = Effect.fnUntraced(function* (rewards: ReadonlyArray<TableReward>) {
  const sql = yield* SqlClient.SqlClient
  const now = new Date(yield* Clock.currentTimeMillis)
  const ids = rewards.map(() => `iss_T${String(++accepted).padStart(25, "0")}`)
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`
        INSERT INTO reward_issuances (id, merchant_id, mode, idempotency_key, request_hash, campaign_id,
          wallet_address, wallet_account, amount_stroops, priority, status, created_at, updated_at)
        SELECT id, merchant, 'test', id, sha256(id::bytea), campaign, wallet, account, stroops, priority, 'pending',
          ${now}, ${now}
        FROM unnest(${ids}::text[], ${rewards.map(({ merchant }) => merchantOf(merchant))}::text[],
          ${rewards.map(({ merchant }) => campaignOf(merchant))}::text[],
          ${rewards.map(({ wallet }) => wallet)}::text[], ${rewards.map(({ wallet }) => accountOf(wallet))}::text[],
          ${rewards.map(({ amountStroops }) => amountStroops)}::bigint[],
          ${rewards.map(({ priority }) => priority ?? 0)}::int[])
          AS reward (id, merchant, campaign, wallet, account, stroops, priority)`
      yield* sql`
        INSERT INTO issuance_events (issuance_id, at, to_status) SELECT unnest(${ids}::text[]), ${now}, 'pending'`
      yield* sql`
        UPDATE campaigns c SET reserved_stroops = c.reserved_stroops + r.stroops
        FROM (SELECT campaign_id, sum(amount_stroops)::bigint AS stroops FROM reward_issuances
          WHERE id = ANY(${ids}::text[]) GROUP BY 1) r
        WHERE c.id = r.campaign_id`
    }),
  )
  return ids
})

/** I1, I2 and I4 of the design over many merchants, once nothing is in flight any more. */
export const lawsOfMany = Effect.fnUntraced(function* (stage: TestNetwork) {
  const sql = yield* SqlClient.SqlClient
  const booked = (yield* issuances)
    .filter(({ status }) => status === "confirmed")
    .map((row) => `${row.tx_hash}:${row.operation_index} ${row.wallet_address} ${row.amount_stroops}`)
  const hashes = new Set((yield* issuances).map(({ tx_hash }) => tx_hash))
  const paid = paymentsOf(stage.network, distribution.publicKey())
    .filter(({ to }) => to !== issuer.publicKey())
    .map(
      (payment) =>
        `${payment.hashes.find((hash) => hashes.has(hash))}:${payment.operationIndex} ${payment.to} ${payment.amountStroops}`,
    )
  expect(booked.toSorted()).toEqual(paid.toSorted())
  const wrong = yield* sql`
    SELECT c.id FROM campaigns c LEFT JOIN reward_issuances r ON r.campaign_id = c.id
    GROUP BY c.id HAVING
      c.reserved_stroops <> coalesce(sum(r.amount_stroops) FILTER (WHERE r.status IN ('pending', 'submitted', 'held')), 0)
      OR c.spent_stroops <> coalesce(sum(r.amount_stroops) FILTER (WHERE r.status = 'confirmed'), 0)`
  expect(wrong).toEqual([])
})
