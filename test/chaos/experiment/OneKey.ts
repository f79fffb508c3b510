/** Many requests with one key at the same time: one of them is the first, and all are told the same. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { query } from "../support/Books.ts"
import type { Shop } from "../support/Invariants.ts"
import type { Reward } from "../support/Merchant.ts"
import type { Demo, Place } from "../support/NovaSystem.ts"

interface Answer {
  readonly status: number
  readonly issuanceId: string
}

const PATIENCE_MS = 30_000

const ask = (demo: Demo, body: string): Promise<Answer> =>
  fetch(`${demo.apiUrl}/api/rewards/issue`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": demo.apiKey },
    body,
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).then(async (response) => {
    const { issuanceId = "" } = (await response.json()) as { readonly issuanceId?: string }
    return { status: response.status, issuanceId }
  })

/** What is wrong with the answers to one key; empty where all is well. */
const judge = (key: string, answers: ReadonlyArray<Answer>): ReadonlyArray<string> => {
  const ids = new Set(answers.map(({ issuanceId }) => issuanceId))
  const count = (status: number) => answers.filter((answer) => answer.status === status).length
  return [
    ...(ids.size === 1 ? [] : [`${key} has ${ids.size} ids`]),
    ...(count(202) === 1 ? [] : [`${key} was accepted ${count(202)} times`]),
    ...(count(202) + count(200) === answers.length ? [] : [`${key} was refused`]),
  ]
}

const rowsOf = (keyStart: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ rows: number; keys: number }>`
      SELECT count(*)::int AS rows, count(DISTINCT idempotency_key)::int AS keys
      FROM reward_issuances WHERE starts_with(idempotency_key, ${keyStart})`
    return row ?? { rows: 0, keys: 0 }
  })

export interface OneKeyFigures {
  readonly keys: number
  readonly requests: number
  readonly rows: number
  readonly violations: ReadonlyArray<string>
}

/** `keys` times: `requests` requests at once with a key of their own. `onKey` is told what the first of them was told. */
export const askAtOnce = (
  place: Place,
  demo: Demo,
  keys: number,
  requests: number,
  onKey: (reward: Reward, issuanceId: string) => void = () => {},
): Effect.Effect<OneKeyFigures> =>
  Effect.gen(function* () {
    const start = `one-key-${Math.floor(performance.timeOrigin + performance.now())}-`
    const violations: Array<string> = []
    for (let number = 1; number <= keys; number++) {
      const idempotencyKey = `${start}${number}`
      const walletAddress = demo.wallets[number % 2] ?? ""
      const reward = { idempotencyKey, walletAddress, amount: "1", campaignId: demo.campaignId }
      const body = JSON.stringify(reward)
      const answers = yield* Effect.promise(() =>
        Promise.all(Array.from({ length: requests }, () => ask(demo, body))),
      )
      violations.push(...judge(idempotencyKey, answers))
      // They are no customer's.
      onKey({ ...reward, userId: "" }, answers[0]?.issuanceId ?? "")
    }
    const { keys: found, rows } = yield* query(place, rowsOf(start))
    if (rows !== keys || found !== keys) violations.push(`${keys} keys, but ${rows} rows of ${found} keys`)
    return { keys, requests: keys * requests, rows, violations }
  })

/** The same for a shop; answers with the shop as it is then, so that these rewards are held against the ledger too. */
export const askForShop = (
  place: Place,
  { demo, merchant }: Shop,
  keys: number,
  requests: number,
): Effect.Effect<{ readonly figures: OneKeyFigures; readonly shop: Shop }> =>
  Effect.gen(function* () {
    const rewards = new Map(merchant.rewards)
    const answered = new Map(merchant.answered)
    const figures = yield* askAtOnce(place, demo, keys, requests, (reward, issuanceId) => {
      rewards.set(reward.idempotencyKey, reward)
      answered.set(reward.idempotencyKey, issuanceId)
    })
    return { figures, shop: { demo, merchant: { ...merchant, rewards, answered } } }
  })
