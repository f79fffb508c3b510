/** `nova review`: what recovery left for a person. */
import { Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Live from "../../layers/Live.ts"
import * as Logging from "../../layers/telemetry/Logging.ts"
import { IssuanceId } from "../kernel/Ids.ts"
import {
  dismissPayment,
  type HeldRow,
  listReviews,
  matchPayment,
  type OpenPayment,
} from "../operate/Review.ts"
import { amount, answer, attentionIf, json, orNotDone, table } from "./Output.ts"

const provided = Effect.provide([Live.database("review"), Logging.layerTerminal])

const PAYMENT = /^([0-9a-f]{64}):(\d{1,2})$/

const payment = Argument.String("payment").pipe(
  Argument.withDescription("The payment, as its transaction's hash, a colon, and the operation's index"),
  Argument.filter(
    (text) => PAYMENT.test(text),
    () => "must be a hash of 64 hex digits, a colon, and an index from 0 to 99",
  ),
  Argument.map((text) => {
    const [, txHash = "", index = "0"] = PAYMENT.exec(text) ?? []
    return { txHash, operationIndex: Number(index) }
  }),
)

const paymentRows = (payments: ReadonlyArray<OpenPayment>) =>
  table([
    ["PAYMENT", "LEDGER", "AMOUNT", "TO", "ALIKE"],
    ...payments.map((one) => [
      `${one.txHash}:${one.operationIndex}`,
      String(one.ledger),
      amount(one.amountStroops),
      one.walletAddress,
      String(one.alike),
    ]),
  ])

const heldRows = (rows: ReadonlyArray<HeldRow>) =>
  table([
    ["HELD REWARD", "AMOUNT", "TO", "MERCHANT", "KEY", "ACCEPTED"],
    ...rows.map((row) => [
      row.issuanceId,
      amount(row.amountStroops),
      row.walletAddress,
      row.merchantId,
      row.idempotencyKey,
      row.createdAt.toISOString(),
    ]),
  ])

const textOf = ({ payments, rows, total }: Effect.Success<ReturnType<typeof listReviews>>): string => {
  if (total.payments + total.rows === 0) return "Nothing waits for a review."
  return [
    `${total.payments} payments belong to no row, ${total.rows} rewards wait because they look like one.`,
    ...(payments.length === 0 ? [] : ["", paymentRows(payments)]),
    ...(rows.length === 0 ? [] : ["", heldRows(rows)]),
  ].join("\n")
}

const match = Command.make(
  "match",
  {
    payment,
    issuance: Argument.String("issuance").pipe(
      Argument.withDescription("The reward that it paid, iss_..."),
      Argument.withSchema(IssuanceId),
    ),
    json,
  },
  ({ issuance, json: asJson, payment: name }) =>
    Effect.gen(function* () {
      const { budgetRaisedStroops, released } = yield* matchPayment(name, issuance)
      const raised =
        budgetRaisedStroops === 0n
          ? ""
          : ` Its campaign had promised the amount to others since: the budget was raised by ${amount(budgetRaisedStroops)}.`
      const text = `${issuance} is confirmed by ${name.txHash}:${name.operationIndex}; ${released.length} others go on.${raised}`
      const matched = { ...name, issuanceId: issuance, resolution: "matched", released, budgetRaisedStroops }
      yield* answer(asJson, matched, text)
    }).pipe(provided, orNotDone),
).pipe(
  Command.withDescription(
    "Says which reward an unmatched payment paid: it is confirmed, and not paid again. One that was cancelled or has failed here takes its budget again",
  ),
)

const dismiss = Command.make("dismiss", { payment, json }, ({ json: asJson, payment: name }) =>
  Effect.gen(function* () {
    const { released } = yield* dismissPayment(name)
    const text = `${name.txHash}:${name.operationIndex} was for a reward that is lost; ${released.length} held rewards go on.`
    yield* answer(asJson, { ...name, resolution: "dismissed", released }, text)
  }).pipe(provided, orNotDone),
).pipe(
  Command.withDescription(
    "Says that an unmatched payment was for a reward that the database lost: what looks like it is paid, unless another open payment looks like it too",
  ),
)

export const reviewCommand = Command.make(
  "review",
  {
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("How many payments and rewards are listed at most, 1 to 10000"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
      Flag.withDefault(100),
    ),
    json,
  },
  ({ json: asJson, limit }) =>
    Effect.gen(function* () {
      const open = yield* listReviews(limit)
      yield* answer(asJson, open, textOf(open))
      yield* attentionIf(open.total.payments + open.total.rows > 0)
    }).pipe(provided, orNotDone),
).pipe(
  Command.withDescription(
    "Lists payments on the ledger that belong to no row, and rewards that wait because they look like one. Exit code 1 while there are any",
  ),
  Command.withSubcommands([match, dismiss]),
)
