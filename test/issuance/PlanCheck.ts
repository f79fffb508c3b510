/**
 * Asks PostgreSQL how it would run each statement that passes, in the very transaction and with the very parameters,
 * and keeps what would read a large table as a whole: by a sequential scan, through an index that covers all of it,
 * or through a condition that most of it fulfils.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentTransformer, type Transformer } from "effect/sql/Statement"

/** Tables that grow with every reward ever issued. */
const LARGE: ReadonlyArray<string> = [
  "reward_issuances",
  "issuance_events",
  "stellar_envelopes",
  "claimable_balances",
]

/** Partial indexes that hold what is alive, never what has ended: reading all of one is reading what there is to do. */
const OF_THE_LIVING: ReadonlyArray<string> = [
  "reward_issuances_pending",
  "reward_issuances_submitted",
  "reward_issuances_waiting",
  "reward_issuances_held",
  "stellar_envelopes_one_alive",
  "claimable_balances_open",
]

interface PlanNode {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Index Name"?: string
  readonly "Index Cond"?: string
  readonly "Plan Rows": number
  readonly Plans?: ReadonlyArray<PlanNode>
}

export interface PlannedStatement {
  readonly text: string
  readonly indexes: ReadonlyArray<string>
  /** Why it does not bear a long history; empty when it does. */
  readonly breaches: ReadonlyArray<string>
}

/** These pass rows on as they come: what is above them and wants no more ends what is below. */
const PASSES_ON: ReadonlyArray<string> = ["Limit", "LockRows", "Result", "Subquery Scan"]

interface Reached {
  readonly node: PlanNode
  /** Rows that it is asked for at most. */
  readonly wanted: number
}

const reach = (node: PlanNode, wanted: number): ReadonlyArray<Reached> => {
  const rows = Math.min(wanted, node["Plan Rows"])
  const below = !PASSES_ON.includes(node["Node Type"])
    ? Number.POSITIVE_INFINITY
    : node["Node Type"] === "Limit"
      ? rows
      : wanted
  return [{ node, wanted: rows }, ...(node.Plans ?? []).flatMap((child) => reach(child, below))]
}

/** A bitmap scan's index node names no table: the index's own name begins with it. */
const tableOf = (node: PlanNode): string | undefined =>
  LARGE.find((table) => node["Relation Name"] === table || node["Index Name"]?.startsWith(table) === true)

const breachOf = ({ node, wanted }: Reached, rowsMax: number): string | undefined => {
  const table = tableOf(node)
  const type = node["Node Type"]
  if (table === undefined || type === "ModifyTable") return undefined
  if (type === "Seq Scan") return `sequential scan of ${table}`
  const index = node["Index Name"]
  if (index === undefined) return undefined
  if (node["Index Cond"] === undefined && !OF_THE_LIVING.includes(index)) return `all of index ${index}`
  return wanted > rowsMax ? `${wanted} rows of ${table} by ${index}` : undefined
}

const judge = (text: string, plan: PlanNode, rowsMax: number): PlannedStatement => {
  const reached = reach(plan, Number.POSITIVE_INFINITY)
  return {
    text: text.replaceAll(/\s+/g, " ").trim(),
    indexes: reached.flatMap(({ node }) => node["Index Name"] ?? []),
    breaches: reached.flatMap((one) => breachOf(one, rowsMax) ?? []),
  }
}

const isPlanned = (text: string): boolean => /^\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b/i.test(text)

/** Runs the effect, and answers with the plan of each statement that it ran. */
export const plansOf = Effect.fnUntraced(function* <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  /** More rows of a large table than this, as estimated for one node, are too many. */
  rowsMax: number,
) {
  const sql = yield* SqlClient.SqlClient
  const planned: Array<PlannedStatement> = []
  const explain: Transformer = (statement) => {
    const [text, params] = statement.compile()
    if (!isPlanned(text)) return Effect.succeed(statement)
    return sql
      .unsafe<{ "QUERY PLAN": ReadonlyArray<{ Plan: PlanNode }> }>(`EXPLAIN (FORMAT JSON) ${text}`, params)
      .pipe(
        Effect.provideService(CurrentTransformer, undefined),
        Effect.map(([row]) => {
          for (const { Plan } of row?.["QUERY PLAN"] ?? []) planned.push(judge(text, Plan, rowsMax))
          return statement
        }),
        Effect.orDie,
      )
  }
  yield* Effect.provideService(effect, CurrentTransformer, explain)
  return planned
})
