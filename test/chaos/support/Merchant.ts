/**
 * A merchant who sends rewards over the real HTTP path and does what the documentation asks for: a request without an
 * answer, or with one that says "not now", is sent again with the same idempotency key.
 */
import { Effect } from "effect"
import type { Chance } from "./Chance.ts"
import type { Demo } from "./NovaSystem.ts"

export interface Reward {
  readonly idempotencyKey: string
  readonly walletAddress: string
  /** Whole NOVA. */
  readonly amount: string
  readonly campaignId: string
  readonly userId: string
}

export interface Merchant {
  /** Everything that was ever ordered, by idempotency key. */
  readonly rewards: ReadonlyMap<string, Reward>
  /** Issuance ids by idempotency key, as answered. */
  readonly answered: ReadonlyMap<string, string>
  /** How often a key that had its answer was answered again. */
  readonly duplicates: () => number
  /** Requests without a usable answer, by what came instead: a status, or which way they failed. */
  readonly misses: ReadonlyMap<string, number>
  /** Answers that must not be, in words: they end up in a failing expectation. */
  readonly wrongs: ReadonlyArray<string>
  /**
   * Orders `count` new rewards and sends them, and `repeats` of them twice, until every request has its answer; dies
   * when that takes longer than `withinMs`.
   */
  readonly order: (count: number, repeats: number, withinMs: number) => Effect.Effect<void>
}

/** Requests at once, as the demo. */
const CONCURRENCY = 32
const ANSWER_MS_MAX = 10_000
const AGAIN_AFTER_MS = 100

interface Book {
  readonly demo: Demo
  readonly rewards: Map<string, Reward>
  readonly answered: Map<string, string>
  readonly misses: Map<string, number>
  readonly wrongs: Array<string>
  duplicates: number
}

const post = (demo: Demo, reward: Reward) =>
  Effect.promise(async () => {
    try {
      const response = await fetch(`${demo.apiUrl}/api/rewards/issue`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-api-key": demo.apiKey },
        body: JSON.stringify(reward),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      })
      return { status: response.status, text: await response.text() }
    } catch (cause) {
      const isSilence = cause instanceof Error && cause.name === "TimeoutError"
      return isSilence ? "no answer in time" : "no connection"
    }
  })

/** Notes an answer of 202 or 200. One key, one id, and only one request is told that it was the first. */
const note = (book: Book, { idempotencyKey }: Reward, status: number, text: string): void => {
  const { issuanceId } = JSON.parse(text) as { issuanceId: string }
  const known = book.answered.get(idempotencyKey)
  book.answered.set(idempotencyKey, issuanceId)
  if (known === undefined) return
  book.duplicates++
  if (known !== issuanceId) book.wrongs.push(`${idempotencyKey} was ${known} and is now ${issuanceId}`)
  if (status === 202) book.wrongs.push(`${idempotencyKey} was accepted twice`)
}

const sendUntilAnswered = (book: Book, reward: Reward): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (true) {
      const answer = yield* post(book.demo, reward)
      if (typeof answer !== "string" && (answer.status === 202 || answer.status === 200)) {
        return note(book, reward, answer.status, answer.text)
      }
      const miss = typeof answer === "string" ? answer : String(answer.status)
      book.misses.set(miss, (book.misses.get(miss) ?? 0) + 1)
      if (typeof answer !== "string" && answer.status < 500) {
        book.wrongs.push(`${reward.idempotencyKey} was refused: ${answer.status} ${answer.text}`)
        return
      }
      yield* Effect.sleep(AGAIN_AFTER_MS)
    }
  })

/** The demo's rewards: two wallets with a trustline and one without, 1 to 25 NOVA, fifty customers. */
const makeReward = (demo: Demo, run: string, index: number): Reward => ({
  idempotencyKey: `${run}-${index}`,
  walletAddress: demo.wallets[index % demo.wallets.length] ?? "",
  amount: String(1 + (index % 25)),
  campaignId: demo.campaignId,
  userId: `customer-${index % 50}`,
})

export const makeMerchant = (demo: Demo, chance: Chance): Merchant => {
  const book: Book = {
    demo,
    rewards: new Map(),
    answered: new Map(),
    misses: new Map(),
    wrongs: [],
    duplicates: 0,
  }
  let orders = 0
  const order = (count: number, repeats: number, withinMs: number) =>
    Effect.gen(function* () {
      const run = `chaos-${++orders}`
      const fresh = Array.from({ length: count }, (_, index) => makeReward(demo, run, index))
      for (const reward of fresh) book.rewards.set(reward.idempotencyKey, reward)
      const twice = chance.shuffle(fresh).slice(0, repeats)
      // Some second requests meet their first one under way, others come much later.
      const requests = [...fresh.slice(0, count / 2), ...twice, ...fresh.slice(count / 2)]
      yield* Effect.forEach(requests, (reward) => sendUntilAnswered(book, reward), {
        concurrency: CONCURRENCY,
        discard: true,
      })
    }).pipe(
      Effect.timeout(withinMs),
      Effect.catch(() =>
        Effect.die(
          new Error(
            `Requests had no answer within ${withinMs} ms: ${JSON.stringify([...book.misses])}, ${book.answered.size} of ${book.rewards.size} answered`,
          ),
        ),
      ),
    )
  return {
    rewards: book.rewards,
    answered: book.answered,
    misses: book.misses,
    wrongs: book.wrongs,
    duplicates: () => book.duplicates,
    order,
  }
}
