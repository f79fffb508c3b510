/**
 * Accepting rewards and showing them. Accepting is one transaction: user, key and row, history, budget. It either
 * happens as a whole or leaves nothing behind, so a refused request burns no key and holds no budget.
 */
import { Clock, Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpTraceContext } from "effect/http"
import { SqlClient } from "effect/sql"
import {
  type CampaignBudgetExhausted,
  type CampaignNotActive,
  CampaignNotFound,
} from "../campaign/CampaignErrors.ts"
import { Campaigns } from "../campaign/Campaigns.ts"
import { makeId } from "../kernel/Ids.ts"
import { type Page, type PageRequest, pageOf, rowsToFetch } from "../kernel/Page.ts"
import { accountOf } from "../kernel/StellarAddress.ts"
import type { Owner } from "../merchant/Owner.ts"
import type { IssuanceStatus } from "./Issuance.ts"
import { IdempotencyKeyReused, IssuanceNotFound, ModeNotPaid, WalletNotPayable } from "./IssuanceErrors.ts"
import type { IssuanceEvent, IssuanceFilter, IssuanceView } from "./IssuanceView.ts"
import { type IssueRequest, PaidModes, requestHash, UnpayableWallets } from "./IssueRequest.ts"

/** `accepted` is false when the key was known: the answer to a repeated request. */
export interface Issued {
  readonly issuanceId: string
  readonly status: IssuanceStatus
  readonly accepted: boolean
}

export type IssueError =
  | CampaignNotFound
  | CampaignNotActive
  | CampaignBudgetExhausted
  | IdempotencyKeyReused
  | WalletNotPayable
  | ModeNotPaid

export class Issuances extends Context.Service<
  Issuances,
  {
    /** Accepts the reward, or finds the one that this key accepted before. Safe to repeat at any time. */
    readonly issue: (owner: Owner, request: IssueRequest) => Effect.Effect<Issued, IssueError>
    readonly get: (
      owner: Owner,
      id: string,
    ) => Effect.Effect<
      { readonly issuance: IssuanceView; readonly timeline: ReadonlyArray<IssuanceEvent> },
      IssuanceNotFound
    >
    /** Newest first. */
    readonly list: (
      owner: Owner,
      filter: IssuanceFilter,
      page: PageRequest,
    ) => Effect.Effect<Page<IssuanceView>>
  }
>()("nova/issuance/Issuances") {
  static readonly layer = Layer.effect(
    Issuances,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const issue = yield* makeIssue
      const { get, list } = makeReads(sql)
      return Issuances.of({ issue, get, list })
    }),
  )
}

/** W3C traceparent of the span that accepted the reward, so that the worker's spans join the same trace. */
const traceparent = Effect.map(Effect.option(Effect.currentSpan), (span) =>
  Option.isSome(span) ? (HttpTraceContext.toHeaders(span.value).traceparent ?? null) : null,
)

const makeIssue = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const campaigns = yield* Campaigns
  const random = yield* SecureRandom.SecureRandom
  const unpayable = yield* UnpayableWallets
  const paidModes = yield* PaidModes

  const newId = (prefix: "iss" | "usr") =>
    makeId(prefix).pipe(Effect.provideService(SecureRandom.SecureRandom, random))

  const upsertUser = Effect.fnUntraced(function* (owner: Owner, externalId: string, now: Date) {
    const inserted = yield* sql<{ id: string }>`
      INSERT INTO users (id, merchant_id, mode, external_id, created_at)
      VALUES (${yield* newId("usr")}, ${owner.merchantId}, ${owner.mode}, ${externalId}, ${now})
      ON CONFLICT ON CONSTRAINT users_external_id DO NOTHING RETURNING id`
    if (inserted[0] !== undefined) return inserted[0].id
    const known = yield* sql<{ id: string }>`
      SELECT id FROM users
      WHERE merchant_id = ${owner.merchantId} AND mode = ${owner.mode} AND external_id = ${externalId}`
    return known[0]?.id ?? null
  })

  /**
   * Writes the row and the first line of its history, unless the key is taken or the campaign is not the owner's:
   * then nothing is inserted, and false. Two requests with one key wait for each other here.
   */
  const insert = Effect.fnUntraced(function* (owner: Owner, request: IssueRequest, id: string, now: Date) {
    const userId = request.userId === undefined ? null : yield* upsertUser(owner, request.userId, now)
    const inserted = yield* sql`
      WITH accepted AS (
        INSERT INTO reward_issuances (id, merchant_id, mode, idempotency_key, request_hash, campaign_id, user_id,
          wallet_address, wallet_account, amount_stroops, status, trace_context, created_at, updated_at)
        SELECT ${id}, merchant_id, mode, ${request.idempotencyKey}, ${requestHash(request)}, id, ${userId}::text,
          ${request.walletAddress}, ${accountOf(request.walletAddress)}, ${request.amountStroops}::bigint, 'pending', ${yield* traceparent}::text,
          ${now}::timestamptz, ${now}::timestamptz
        FROM campaigns
        WHERE id = ${request.campaignId} AND merchant_id = ${owner.merchantId} AND mode = ${owner.mode}
        ON CONFLICT ON CONSTRAINT reward_issuances_key DO NOTHING
        RETURNING id, status, created_at
      )
      INSERT INTO issuance_events (issuance_id, at, to_status)
      SELECT id, created_at, status FROM accepted RETURNING issuance_id`
    return inserted.length > 0
  })

  const findByKey = Effect.fnUntraced(function* (owner: Owner, request: IssueRequest) {
    const [known] = yield* sql<{ id: string; status: IssuanceStatus; same: boolean }>`
      SELECT id, status, request_hash = ${requestHash(request)} AS same FROM reward_issuances
      WHERE merchant_id = ${owner.merchantId} AND mode = ${owner.mode}
        AND idempotency_key = ${request.idempotencyKey}`
    if (known === undefined) return undefined
    if (known.same) return { issuanceId: known.id, status: known.status, accepted: false }
    return yield* new IdempotencyKeyReused({
      message: "This idempotency key was used before, for a request with other fields.",
    })
  })

  return Effect.fn("Issuances.issue")(
    function* (owner: Owner, request: IssueRequest) {
      if (unpayable.has(accountOf(request.walletAddress)))
        return yield* new WalletNotPayable({
          message: "This is an account that issues or pays rewards, not a customer's wallet.",
        })
      const now = new Date(yield* Clock.currentTimeMillis)
      const issuanceId = yield* newId("iss")
      if (!(yield* insert(owner, request, issuanceId, now))) {
        const known = yield* findByKey(owner, request)
        if (known !== undefined) return known
        // The key is free, so what kept the row out is that the owner had no such campaign.
        return yield* new CampaignNotFound({ message: "There is no campaign with this id." })
      }
      if (!paidModes.has(owner.mode)) {
        return yield* new ModeNotPaid({
          message: `This server pays the rewards of ${[...paidModes].join(" and ")} keys only.`,
        })
      }
      // Last, because the campaign's row is what all its issuances wait for.
      yield* campaigns.reserve(owner, { ...request, at: now })
      return { issuanceId, status: "pending" as const, accepted: true }
    },
    (effect) => sql.withTransaction(effect),
    Effect.catchTag("SqlError", (error) => Effect.die(error)),
  )
})

const makeReads = (sql: SqlClient.SqlClient) => {
  const columns = sql`
    i.id, i.idempotency_key AS "idempotencyKey", i.status, i.reason, i.campaign_id AS "campaignId",
    i.wallet_address AS "walletAddress", i.amount_stroops AS "amountStroops", u.external_id AS "userId",
    i.created_at AS "createdAt", i.updated_at AS "updatedAt", i.confirmed_at AS "confirmedAt",
    i.tx_hash AS "txHash", i.ledger, i.operation_index AS "operationIndex"`
  const from = sql`reward_issuances i LEFT JOIN users u ON u.id = i.user_id`
  const owned = (owner: Owner) => sql`i.merchant_id = ${owner.merchantId} AND i.mode = ${owner.mode}`

  const get = Effect.fn("Issuances.get")(
    function* (owner: Owner, id: string) {
      const [issuance] = yield* sql<IssuanceView>`
      SELECT ${columns} FROM ${from} WHERE i.id = ${id} AND ${owned(owner)}`
      if (issuance === undefined)
        return yield* new IssuanceNotFound({ message: "There is no issuance with this id." })
      const timeline = yield* sql<IssuanceEvent>`
      SELECT at, from_status AS "from", to_status AS "to", reason FROM issuance_events
      WHERE issuance_id = ${id} ORDER BY id`
      return { issuance, timeline }
    },
    Effect.catchTag("SqlError", (error) => Effect.die(error)),
  )

  const list = Effect.fn("Issuances.list")(
    function* (owner: Owner, filter: IssuanceFilter, page: PageRequest) {
      const conditions = [owned(owner)]
      if (filter.status !== undefined) conditions.push(sql`i.status = ${filter.status}`)
      if (filter.campaignId !== undefined) conditions.push(sql`i.campaign_id = ${filter.campaignId}`)
      if (filter.walletAddress !== undefined) conditions.push(sql`i.wallet_address = ${filter.walletAddress}`)
      if (filter.createdAfter !== undefined) conditions.push(sql`i.created_at > ${filter.createdAfter}`)
      if (filter.createdBefore !== undefined) conditions.push(sql`i.created_at < ${filter.createdBefore}`)
      if (page.startingAfter !== undefined) conditions.push(sql`i.id < ${page.startingAfter}`)
      if (page.endingBefore !== undefined) conditions.push(sql`i.id > ${page.endingBefore}`)
      const order = page.endingBefore === undefined ? sql`i.id DESC` : sql`i.id ASC`
      const rows = yield* sql<IssuanceView>`
      SELECT ${columns} FROM ${from} WHERE ${sql.and(conditions)} ORDER BY ${order} LIMIT ${rowsToFetch(page)}`
      return pageOf(rows, page)
    },
    Effect.catchTag("SqlError", (error) => Effect.die(error)),
  )

  return { get, list }
}
