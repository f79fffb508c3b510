/** A batch of rewards: items that are of their form go to the service together, the others are refused here. */
import { Cause, Effect, Exit, Option, Result, Schema } from "effect"
import type { ErrorCode } from "../api/ErrorCode.ts"
import { issueErrors } from "../api/FieldErrors.ts"
import { IdempotencyKey } from "../api/Idempotency.ts"
import { BatchItem, type BatchResult, type IssueBatch } from "../api/IssueBatch.ts"
import { detailOf, makeProblem, type Problem } from "../api/Problems.ts"
import { isDatabaseAway } from "../kernel/DatabaseAway.ts"
import type { Owner } from "../merchant/Owner.ts"
import type { Answer } from "./AcceptRewards.ts"
import type { Issuances } from "./Issuances.ts"

type Item = (typeof IssueBatch.Type)["items"][number]

const decodeItem = Schema.decodeUnknownResult(BatchItem, { errors: "all", onExcessProperty: "error" })
const decodeKey = Schema.decodeUnknownOption(Schema.Struct({ idempotencyKey: IdempotencyKey }))

const refused = (idempotencyKey: string | null, problem: Problem): typeof BatchResult.Type => ({
  idempotencyKey,
  status: "refused",
  issuanceId: null,
  problem,
})

/** What is wrong with an item, as a request of its own would be told; fields are named with the item's place. */
const refuseMalformed = Effect.fnUntraced(function* (malformed: unknown, place: number) {
  const decoded = decodeItem(malformed)
  const errors = Result.isFailure(decoded)
    ? issueErrors(decoded.failure.issue, `items[${place}]`, `items[${place}].`)
    : []
  const key = Option.getOrNull(Option.map(decodeKey(malformed), ({ idempotencyKey }) => idempotencyKey))
  return refused(key, yield* makeProblem("request.invalid", { errors }))
})

const resultOf = Effect.fnUntraced(function* (
  idempotencyKey: string,
  place: number,
  answer: Answer,
  params: Partial<Record<ErrorCode, string>>,
) {
  if (Exit.isSuccess(answer)) {
    const { accepted, issuanceId } = answer.value
    return { idempotencyKey, issuanceId, status: accepted ? "accepted" : "known", problem: null } as const
  }
  const failure = Cause.findErrorOption(answer.cause)
  if (Option.isSome(failure)) {
    const { code } = failure.value
    const param = params[code]
    const detail = detailOf(failure.value, param === undefined ? undefined : `items[${place}].${param}`)
    return refused(idempotencyKey, yield* makeProblem(code, detail))
  }
  // Nobody knows what was accepted: the whole batch is to be sent again.
  if (isDatabaseAway(Cause.squash(answer.cause)))
    return yield* Effect.failCause(answer.cause as Cause.Cause<never>)
  yield* Effect.logError("An item of a batch failed by a fault of this program", answer.cause)
  return refused(idempotencyKey, yield* makeProblem("server.internal"))
})

/** One result for each item, in their order; `params` names the field that each refusal speaks of. */
export const issueItems = Effect.fnUntraced(function* (
  issuances: Issuances["Service"],
  owner: Owner,
  items: ReadonlyArray<Item>,
  params: Partial<Record<ErrorCode, string>>,
) {
  const wellFormed = items.flatMap((item, place) => ("malformed" in item ? [] : [{ item, place }]))
  const requests = wellFormed.map(({ item: { amount, ...rest } }) => ({ ...rest, amountStroops: amount }))
  const answers = yield* issuances.issueAll(owner, requests, { priority: "low" })
  const byPlace = new Map(wellFormed.map(({ place }, index) => [place, answers[index]]))
  return yield* Effect.forEach(items, (item, place) => {
    if ("malformed" in item) return refuseMalformed(item.malformed, place)
    const answer = byPlace.get(place) ?? Exit.die(new Error("an item of a batch has no answer"))
    return resultOf(item.idempotencyKey, place, answer, params)
  })
})
