/**
 * The demo: issues rewards over the merchant's API as a shop would, repeats some of them with the same keys, waits
 * for the ledger, and says what came of it. Lost answers are met as a shop should meet them: the same request again,
 * with the same idempotency key.
 */
import { Console, Effect, Option, Schedule, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpClient, HttpClientRequest } from "effect/http"
import type { DemoFile } from "./DemoFile.ts"
import { DemoIssuance, type DemoReport } from "./DemoReport.ts"
import { makeProgressBar } from "./ProgressBar.ts"

export interface DemoPlan {
  readonly rewards: number
  /** How many of them are sent a second time. */
  readonly repeats: number
  /** Requests under way at once. */
  readonly concurrency: number
  readonly out: NodeJS.WriteStream
}

export class DemoFailed extends Schema.TaggedError<DemoFailed>()("DemoFailed", { message: Schema.String }) {}

const Accepted = Schema.Struct({ issuanceId: Schema.String, status: Schema.String })

const IssuancePage = Schema.Struct({ data: Schema.Array(DemoIssuance), has_more: Schema.Boolean })

/** Time that the API may be away, being restarted say, before the demo gives up: two minutes. */
const whileAway = Schedule.max([Schedule.spaced("500 millis"), Schedule.recurs(240)])

const FINAL = ["confirmed", "failed", "held", "cancelled"]

/** A call that is repeated while the API is away or busy; any other refusal ends the demo with its text. */
const makeCall = Effect.gen(function* () {
  const client = yield* HttpClient.HttpClient
  let hasSaid = false
  /** Once: a system that is restarted is worth waiting for, and a person should know what is waited for. */
  const sayAway = Effect.suspend(() => {
    if (hasSaid) return Effect.void
    hasSaid = true
    return Console.log("\nThe API gives no answer; trying again for two minutes, with the same keys.")
  })
  return (request: HttpClientRequest.HttpClientRequest) =>
    client.execute(request).pipe(
      Effect.flatMap((response) => Effect.map(response.text, (text) => ({ status: response.status, text }))),
      Effect.mapError(() => "away" as const),
      Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => Effect.fail("away" as const) }),
      Effect.filterOrFail(
        ({ status }) => status < 500 && status !== 429,
        () => "away" as const,
      ),
      Effect.tapError(() => sayAway),
      Effect.retry(whileAway),
      Effect.mapError(
        () => new DemoFailed({ message: `${request.url} gives no answer: is the system running?` }),
      ),
      Effect.filterOrFail(
        ({ status }) => status < 300,
        ({ status, text }) => new DemoFailed({ message: `${request.url} answered ${status}: ${text}` }),
      ),
    )
})

const decode = <A>(schema: Schema.Codec<A, unknown>, text: string) =>
  Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text).pipe(
    Effect.mapError(
      (error) => new DemoFailed({ message: `An answer was not as documented: ${error.message}` }),
    ),
  )

const withKey = (file: DemoFile) => HttpClientRequest.setHeader("x-api-key", file.apiKey)

/** Sends the rewards with these numbers; answers with the issuances' ids, and how many were known before. */
const issueAll = Effect.fn("Demo.issueAll")(function* (
  file: DemoFile,
  plan: DemoPlan,
  run: string,
  label: string,
  count: number,
) {
  const call = yield* makeCall
  const bar = makeProgressBar(label, count, plan.out)
  let done = 0
  const answers = yield* Effect.forEach(
    Array.from({ length: count }, (_, index) => index),
    (index) =>
      HttpClientRequest.post(`${file.apiUrl}/api/rewards/issue`).pipe(
        withKey(file),
        HttpClientRequest.bodyJsonUnsafe({
          idempotencyKey: `${run}-${index}`,
          walletAddress: file.wallets[index % file.wallets.length],
          amount: String(1 + (index % 25)),
          campaignId: file.campaignId,
          userId: `customer-${index % 50}`,
        }),
        call,
        Effect.flatMap(({ status, text }) =>
          Effect.map(decode(Accepted, text), ({ issuanceId }) => ({ issuanceId, known: status === 200 })),
        ),
        Effect.tap(() => Effect.sync(() => bar.update(++done))),
      ),
    { concurrency: plan.concurrency },
  )
  bar.finish()
  return {
    ids: answers.map((answer) => answer.issuanceId),
    known: answers.filter((answer) => answer.known).length,
  }
})

/** The run's issuances as the API shows them, newest first; reads no further than the run's first one. */
const readRun = Effect.fn("Demo.readRun")(function* (file: DemoFile, ids: ReadonlySet<string>) {
  const call = yield* makeCall
  const found: Array<typeof DemoIssuance.Type> = []
  let after = Option.none<string>()
  while (found.length < ids.size) {
    const cursor = Option.match(after, { onNone: () => "", onSome: (id) => `&starting_after=${id}` })
    const url = `${file.apiUrl}/api/rewards/issuances?campaignId=${file.campaignId}&limit=100${cursor}`
    const { text } = yield* call(withKey(file)(HttpClientRequest.get(url)))
    const page = yield* decode(IssuancePage, text)
    found.push(...page.data.filter(({ id }) => ids.has(id)))
    after = Option.map(Option.fromUndefinedOr(page.data.at(-1)), ({ id }) => id)
    if (!page.has_more) break
  }
  return found
})

const awaitAll = Effect.fn("Demo.awaitAll")(function* (
  file: DemoFile,
  plan: DemoPlan,
  ids: ReadonlySet<string>,
) {
  const bar = makeProgressBar("settled", ids.size, plan.out)
  const issuances = yield* readRun(file, ids).pipe(
    Effect.tap((read) =>
      Effect.sync(() => bar.update(read.filter(({ status }) => FINAL.includes(status)).length)),
    ),
    Effect.repeat({
      schedule: Schedule.spaced("500 millis"),
      until: (read) => read.length === ids.size && read.every(({ status }) => FINAL.includes(status)),
    }),
    Effect.timeoutOrElse({
      duration: "10 minutes",
      orElse: () =>
        Effect.fail(
          new DemoFailed({ message: "Some rewards had no outcome after ten minutes: see the worker's log." }),
        ),
    }),
  )
  bar.finish()
  return issuances
})

/** Runs the whole tour. */
export const demo = Effect.fn("Demo")(function* (file: DemoFile, plan: DemoPlan) {
  const random = yield* SecureRandom.SecureRandom
  const run = `demo-${yield* random.ulid}`
  const first = yield* issueAll(file, plan, run, "accepted", plan.rewards)
  const again = yield* issueAll(file, plan, run, "repeated", plan.repeats)
  const issuances = yield* awaitAll(file, plan, new Set(first.ids))
  return { accepted: new Set(first.ids).size, duplicates: again.known, issuances } satisfies DemoReport
})
