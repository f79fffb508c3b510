/**
 * Accepting rewards, showing them, and what a merchant may still change. A refused request burns no key and holds no
 * budget.
 */
import { Clock, Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpTraceContext } from "effect/http"
import { SqlClient } from "effect/sql"
import { makeId } from "../kernel/Ids.ts"
import { type Page, type PageRequest, pageOf, rowsToFetch } from "../kernel/Page.ts"
import type { Owner } from "../merchant/Owner.ts"
import { AcceptRewards, type Answer, type Issued, type IssueError } from "./AcceptRewards.ts"
import { gatherAccepts } from "./AcceptRewardsGather.ts"
import { makeEndIssuance } from "./EndIssuance.ts"
import { IssuanceNotFound, type IssuanceStateConflict } from "./IssuanceErrors.ts"
import type { IssuanceEvent, IssuanceFilter, IssuanceView } from "./IssuanceView.ts"
import type { IssueRequest, Priority } from "./IssueRequest.ts"

export interface IssueOptions {
  /** Taken where a request asks for none; normal when absent. */
  readonly priority?: Priority
}

interface IssuanceWithTimeline {
  readonly issuance: IssuanceView
  readonly timeline: ReadonlyArray<IssuanceEvent>
}

export class Issuances extends Context.Service<
  Issuances,
  {
    /**
     * Accepts the reward, or finds the one that this key accepted before. Safe to repeat at any time. Requests that
     * arrive together go together, with the same answers as one by one.
     */
    readonly issue: (
      owner: Owner,
      request: IssueRequest,
      options?: IssueOptions,
    ) => Effect.Effect<Issued, IssueError>
    /**
     * The same for a list, with an answer for each, in its order: a request that repeats the key of an earlier one is a
     * repetition. An answer is a defect only where the database failed that request.
     */
    readonly issueAll: (
      owner: Owner,
      requests: ReadonlyArray<IssueRequest>,
      options?: IssueOptions,
    ) => Effect.Effect<ReadonlyArray<Answer>>
    readonly get: (owner: Owner, id: string) => Effect.Effect<IssuanceWithTimeline, IssuanceNotFound>
    /** Newest first. */
    readonly list: (
      owner: Owner,
      filter: IssuanceFilter,
      page: PageRequest,
    ) => Effect.Effect<Page<IssuanceView>>
    /** Takes back a reward that is pending or held; its budget and cap are free again. */
    readonly cancel: (
      owner: Owner,
      id: string,
    ) => Effect.Effect<void, IssuanceNotFound | IssuanceStateConflict>
    /** A held reward is pending again, unless its campaign is paused or it is under review. */
    readonly retry: (
      owner: Owner,
      id: string,
    ) => Effect.Effect<void, IssuanceNotFound | IssuanceStateConflict>
  }
>()("nova/issuance/Issuances") {
  static readonly layer = Layer.effect(
    Issuances,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      return Issuances.of({ ...(yield* makeIssue), ...makeReads(sql), ...makeEndIssuance(sql) })
    }),
  ).pipe(Layer.provide(AcceptRewards.layer))
}

/** W3C traceparent of the span that accepts the reward. */
const traceparent = Effect.map(Effect.option(Effect.currentSpan), (span) =>
  Option.isSome(span) ? (HttpTraceContext.toHeaders(span.value).traceparent ?? null) : null,
)

const makeIssue = Effect.gen(function* () {
  const { accept } = yield* AcceptRewards
  const acceptOne = yield* gatherAccepts(accept)
  const random = yield* SecureRandom.SecureRandom

  const newAcceptance = Effect.fnUntraced(function* (
    owner: Owner,
    request: IssueRequest,
    { priority: priorityDefault = "normal" }: IssueOptions,
  ) {
    const id = yield* makeId("iss").pipe(Effect.provideService(SecureRandom.SecureRandom, random))
    const at = new Date(yield* Clock.currentTimeMillis)
    return { owner, request, priorityDefault, id, at, traceContext: yield* traceparent }
  })

  const issue = Effect.fn("Issuances.issue")(function* (
    owner: Owner,
    request: IssueRequest,
    options: IssueOptions = {},
  ) {
    return yield* acceptOne(yield* newAcceptance(owner, request, options))
  })

  const issueAll = Effect.fn("Issuances.issueAll")(function* (
    owner: Owner,
    requests: ReadonlyArray<IssueRequest>,
    options: IssueOptions = {},
  ) {
    return yield* accept(yield* Effect.forEach(requests, (request) => newAcceptance(owner, request, options)))
  })

  return { issue, issueAll }
})

const makeReads = (sql: SqlClient.SqlClient) => {
  const columns = sql`
    i.id, i.idempotency_key AS "idempotencyKey", i.status, i.reason, i.campaign_id AS "campaignId",
    i.wallet_address AS "walletAddress", i.amount_stroops AS "amountStroops", u.external_id AS "userId",
    i.created_at AS "createdAt", i.updated_at AS "updatedAt", i.confirmed_at AS "confirmedAt",
    i.tx_hash AS "txHash", i.ledger, i.operation_index AS "operationIndex", i.priority, i.payout,
    b.balance_id AS "balanceId", b.reclaim_after AS "reclaimAfter", b.status AS "balanceStatus"`
  const from = sql`
    reward_issuances i LEFT JOIN users u ON u.id = i.user_id LEFT JOIN claimable_balances b ON b.issuance_id = i.id`
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
