/**
 * A merchant who sends rewards over the real HTTP path and does what the documentation asks for: a request without an
 * answer, or with one that says "not now", is sent again with the same idempotency key.
 */
import { Effect, Fiber } from "effect"
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
   * when that takes longer than `withinMs`. With `spreadMs`, each request begins at a moment of its own within that time.
   */
  readonly order: (count: number, repeats: number, withinMs: number, spreadMs?: number) => Effect.Effect<void>
  /**
   * Orders `perSecond` new rewards a second for as long as the work goes on, some of them twice, then waits until every
   * request has its answer. What an outage holds up is caught up with afterwards.
   */
  readonly orderDuring: <A, E, R>(perSecond: number, work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Requests at once, as the demo. */
const CONCURRENCY = 32
const ANSWER_MS_MAX = 10_000
const AGAIN_AFTER_MS = 100

/** How long requests may go on after the work that they accompany, in ms. */
const CATCH_UP_MS_MAX = 120_000

/** The share of rewards that are sent a second time at once, and of those that are sent again much later. */
const TWICE_AT_ONCE = 0.05
const TWICE_LATER = 0.05

interface Book {
  readonly demo: Demo
  readonly rewards: Map<string, Reward>
  readonly answered: Map<string, string>
  /** Keys whose request was told that it was the first. */
  readonly accepted: Set<string>
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
  if (known !== undefined) book.duplicates++
  if (known !== undefined && known !== issuanceId) {
    book.wrongs.push(`${idempotencyKey} was ${known} and is now ${issuanceId}`)
  }
  if (status !== 202) return
  // Of two requests at once, the second one may have its answer before the first.
  if (book.accepted.has(idempotencyKey)) book.wrongs.push(`${idempotencyKey} was accepted twice`)
  book.accepted.add(idempotencyKey)
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

const giveUp = (book: Book, withinMs: number) =>
  Effect.die(
    new Error(
      `Requests had no answer within ${withinMs} ms: ${JSON.stringify([...book.misses])}, ${book.answered.size} of ${book.rewards.size} answered`,
    ),
  )

interface Order {
  readonly run: string
  readonly count: number
  readonly repeats: number
  readonly spreadMs: number
}

const orderAll = (book: Book, chance: Chance, { count, repeats, run, spreadMs }: Order) => {
  const fresh = Array.from({ length: count }, (_, index) => makeReward(book.demo, run, index))
  for (const reward of fresh) book.rewards.set(reward.idempotencyKey, reward)
  const twice = chance.shuffle(fresh).slice(0, repeats)
  // Some second requests meet their first one under way, others come much later.
  const requests = [...fresh.slice(0, count / 2), ...twice, ...fresh.slice(count / 2)]
  return Effect.forEach(
    requests,
    (reward) => Effect.delay(sendUntilAnswered(book, reward), chance.between(0, spreadMs)),
    { concurrency: spreadMs === 0 ? CONCURRENCY : "unbounded", discard: true },
  )
}

/** Sends what is due by the clock, until told to stop: 32 requests at once at most. */
const orderPaced = (book: Book, run: string, chance: Chance, perSecond: number, isOver: () => boolean) =>
  Effect.gen(function* () {
    const startedAtMs = performance.now()
    const later: Array<Reward> = []
    let ordered = 0
    const orderNext = Effect.gen(function* () {
      const reward = makeReward(book.demo, run, ordered++)
      book.rewards.set(reward.idempotencyKey, reward)
      const lot = chance.next()
      if (lot < TWICE_LATER) later.push(reward)
      const times = lot > 1 - TWICE_AT_ONCE ? 2 : 1
      const send = sendUntilAnswered(book, reward)
      yield* Effect.all(
        Array.from({ length: times }, () => send),
        { concurrency: 2, discard: true },
      )
    })
    const seller = Effect.gen(function* () {
      while (!isOver()) {
        const due = 1 + ((performance.now() - startedAtMs) * perSecond) / 1000
        const old = later.length > 10 ? later.shift() : undefined
        if (old !== undefined) yield* sendUntilAnswered(book, old)
        else if (ordered < due) yield* orderNext
        else yield* Effect.sleep(5)
      }
    })
    yield* Effect.all(
      Array.from({ length: CONCURRENCY }, () => seller),
      { concurrency: "unbounded", discard: true },
    )
    yield* Effect.forEach(later, (reward) => sendUntilAnswered(book, reward), {
      concurrency: CONCURRENCY,
      discard: true,
    })
  })

/** `name` begins its idempotency keys. */
export const makeMerchant = (demo: Demo, chance: Chance, name = "chaos"): Merchant => {
  const book: Book = {
    demo,
    rewards: new Map(),
    answered: new Map(),
    accepted: new Set(),
    misses: new Map(),
    wrongs: [],
    duplicates: 0,
  }
  let orders = 0
  const patiently = (requests: Effect.Effect<void>, withinMs: number) =>
    requests.pipe(
      Effect.timeout(withinMs),
      Effect.catch(() => giveUp(book, withinMs)),
    )
  const order = (count: number, repeats: number, withinMs: number, spreadMs = 0) =>
    Effect.suspend(() => {
      const run = `${name}-${++orders}`
      return patiently(orderAll(book, chance, { run, count, repeats, spreadMs }), withinMs)
    })
  const orderDuring = <A, E, R>(perSecond: number, work: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      let isOver = false
      const selling = yield* Effect.forkChild(
        orderPaced(book, `${name}-${++orders}`, chance, perSecond, () => isOver),
      )
      const result = yield* work
      isOver = true
      yield* patiently(Fiber.join(selling), CATCH_UP_MS_MAX)
      return result
    })
  return {
    rewards: book.rewards,
    answered: book.answered,
    misses: book.misses,
    wrongs: book.wrongs,
    duplicates: () => book.duplicates,
    order,
    orderDuring,
  }
}
