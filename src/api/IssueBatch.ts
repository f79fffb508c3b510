/**
 * Many rewards in one request. An item that is not of its form refuses itself and no other, so the list takes anything
 * and each item is read by itself.
 */
import { Schema, SchemaGetter } from "effect"
import { IssuanceId } from "../kernel/Ids.ts"
import { IdempotencyKey } from "./Idempotency.ts"
import { AnyProblem } from "./Problems.ts"
import { rewardFields } from "./RewardFields.ts"

export const ITEMS_MAX = 1000

export const BatchItem = Schema.Struct({ idempotencyKey: IdempotencyKey, ...rewardFields }).annotate({
  identifier: "BatchItem",
})

/** Whatever else came in the place of an item, as it was sent. */
const MalformedItem = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Struct({ malformed: Schema.Unknown }), {
    decode: SchemaGetter.transform((malformed: unknown) => ({ malformed })),
    encode: SchemaGetter.transform(({ malformed }: { readonly malformed: unknown }) => malformed),
  }),
)

export const IssueBatch = Schema.Struct({
  items: Schema.Array(Schema.Union([BatchItem, MalformedItem]))
    .check(Schema.isBetweenLength(1, ITEMS_MAX, { message: `must have 1 to ${ITEMS_MAX} items` }))
    .annotate({ description: "Each with an idempotency key of its own" }),
}).annotate({ identifier: "IssueBatch" })

export const BatchResult = Schema.Struct({
  idempotencyKey: Schema.NullOr(Schema.String).annotateKey({ description: "Null where the item had none" }),
  status: Schema.Literals(["accepted", "known", "refused"]).annotate({
    description: "accepted now, known from before under this key, or refused: then nothing was accepted",
  }),
  issuanceId: Schema.NullOr(IssuanceId).annotateKey({ description: "Null when refused" }),
  problem: Schema.NullOr(AnyProblem).annotateKey({
    description:
      "Why it was refused, as the same request by itself would be; fields are named as in items[3].amount",
  }),
}).annotate({ identifier: "BatchResult" })

export const BatchResults = Schema.Struct({
  results: Schema.Array(BatchResult).annotateKey({ description: "One for each item, in their order" }),
}).annotate({ identifier: "BatchResults" })
