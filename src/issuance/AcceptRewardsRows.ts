/**
 * The statements of accepting together: each reads or writes for a whole list. They run in the caller's transaction.
 *
 * Look-ups by a list are planned each time (`unprepared`): a plan that was kept from when the table was small reads all
 * of it for every list, until somebody analyses the table.
 */
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { Hex } from "effect/encoding"
import type { SqlClient } from "effect/sql"
import { makeId } from "../kernel/Ids.ts"
import { accountOf } from "../kernel/StellarAddress.ts"
import type { Acceptance, PromisedReward } from "./Acceptance.ts"
import type { IssuanceStatus } from "./Issuance.ts"
import { priorityNumber } from "./IssueRequest.ts"

/** An idempotency key with its scope. Keys hold no blanks. */
export const keyOf = ({ owner, request }: Pick<Acceptance, "owner" | "request">): string =>
  `${owner.merchantId} ${owner.mode} ${request.idempotencyKey}`

const column = <A>(rewards: ReadonlyArray<Acceptance>, of: (reward: Acceptance) => A) => rewards.map(of)

/**
 * The keys of the list that belong to issuances already, with the hash of the request that took each.
 *
 * Each is looked up as the first entry of the key's index that is not below it. Asked for by equality, a table without
 * statistics may answer from another index that starts with the merchant, and read all of the merchant's rows for each.
 */
export const knownKeys = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  rewards: ReadonlyArray<Acceptance>,
) {
  const rows = yield* sql<{
    merchantId: string
    mode: "live" | "test"
    key: string
    id: string
    status: IssuanceStatus
    hash: Uint8Array
  }>`
    SELECT k.merchant_id AS "merchantId", k.mode, k.key, r.id, r.status, r.request_hash AS hash
    FROM unnest(${column(rewards, ({ owner }) => owner.merchantId)}::text[],
      ${column(rewards, ({ owner }) => owner.mode)}::text[],
      ${column(rewards, ({ request }) => request.idempotencyKey)}::text[]) AS k (merchant_id, mode, key)
    CROSS JOIN LATERAL (
      SELECT * FROM reward_issuances i
      WHERE (i.merchant_id, i.mode, i.idempotency_key) >= (k.merchant_id, k.mode, k.key)
      ORDER BY i.merchant_id, i.mode, i.idempotency_key LIMIT 1
    ) r
    WHERE r.merchant_id = k.merchant_id AND r.mode = k.mode AND r.idempotency_key = k.key`.unprepared
  return rows.map(
    ({ hash, id, key, merchantId, mode, status }) =>
      [`${merchantId} ${mode} ${key}`, { id, status, hash }] as const,
  )
})

const userKey = (merchantId: string, mode: string, externalId: string) =>
  `${merchantId} ${mode} ${externalId}`

/** The users of the list, made where they are new: id by owner and the merchant's own name. */
export const insertUsers = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  random: SecureRandom.SecureRandom["Service"],
  rewards: ReadonlyArray<PromisedReward>,
) {
  const wanted = new Map<
    string,
    { merchantId: string; mode: string; externalId: string; id: string; at: Date }
  >()
  for (const { at, owner, request } of rewards) {
    if (request.userId === undefined) continue
    const key = userKey(owner.merchantId, owner.mode, request.userId)
    if (wanted.has(key)) continue
    const id = yield* makeId("usr").pipe(Effect.provideService(SecureRandom.SecureRandom, random))
    wanted.set(key, { ...owner, externalId: request.userId, id, at })
  }
  const users = [...wanted.values()]
  const found = new Map<string, string>()
  if (users.length === 0) return found
  const list = sql`unnest(${users.map((user) => user.merchantId)}::text[], ${users.map((user) => user.mode)}::text[],
    ${users.map((user) => user.externalId)}::text[], ${users.map((user) => user.id)}::text[],
    ${users.map((user) => user.at)}::timestamptz[]) AS n (merchant_id, mode, external_id, id, at)`
  yield* sql`
    INSERT INTO users (id, merchant_id, mode, external_id, created_at)
    SELECT id, merchant_id, mode, external_id, at FROM ${list} ORDER BY merchant_id, mode, external_id
    ON CONFLICT ON CONSTRAINT users_external_id DO NOTHING`
  const rows = yield* sql<{ id: string; merchantId: string; mode: string; externalId: string }>`
    SELECT u.id, u.merchant_id AS "merchantId", u.mode, u.external_id AS "externalId"
    FROM ${list} JOIN users u
      ON u.merchant_id = n.merchant_id AND u.mode = n.mode AND u.external_id = n.external_id`.unprepared
  for (const { externalId, id, merchantId, mode } of rows)
    found.set(userKey(merchantId, mode, externalId), id)
  return found
})

/**
 * Writes the rows and the first line of each history; answers with how many. Fewer than were given: another
 * transaction took a key in the meantime.
 */
export const insertRewards = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  rewards: ReadonlyArray<PromisedReward>,
  users: ReadonlyMap<string, string>,
) {
  const userOf = ({ owner, request: { userId } }: PromisedReward) =>
    userId === undefined ? null : (users.get(userKey(owner.merchantId, owner.mode, userId)) ?? null)
  // One JSON text instead of an array for each column: an array of nothing but nulls has no type to send it as.
  const rows = JSON.stringify(
    rewards.map((reward) => ({
      id: reward.id,
      merchant_id: reward.owner.merchantId,
      mode: reward.owner.mode,
      key: reward.request.idempotencyKey,
      hash: `\\x${Hex.encode(reward.hash)}`,
      campaign_id: reward.request.campaignId,
      user_id: userOf(reward),
      address: reward.request.walletAddress,
      account: accountOf(reward.request.walletAddress),
      stroops: String(reward.request.amountStroops),
      priority: priorityNumber[reward.request.priority ?? reward.priorityDefault],
      cap_period_start: reward.capPeriodStart,
      trace: reward.traceContext,
      at: reward.at,
    })),
  )
  const inserted = yield* sql`
    WITH accepted AS (
      INSERT INTO reward_issuances (id, merchant_id, mode, idempotency_key, request_hash, campaign_id, user_id,
        wallet_address, wallet_account, amount_stroops, priority, cap_period_start, status, trace_context,
        created_at, updated_at)
      SELECT id, merchant_id, mode, key, hash, campaign_id, user_id, address, account, stroops, priority,
        cap_period_start, 'pending', trace, at, at
      FROM jsonb_to_recordset(${rows}::jsonb) AS r (id text, merchant_id text, mode text, key text, hash bytea,
        campaign_id text, user_id text, address text, account text, stroops bigint, priority smallint,
        cap_period_start timestamptz, trace text, at timestamptz)
      ORDER BY merchant_id, mode, key
      ON CONFLICT ON CONSTRAINT reward_issuances_key DO NOTHING
      RETURNING id, status, created_at
    )
    INSERT INTO issuance_events (issuance_id, at, to_status)
    SELECT id, created_at, status FROM accepted ORDER BY id RETURNING issuance_id`
  return inserted.length
})
