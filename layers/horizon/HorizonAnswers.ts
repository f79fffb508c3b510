/**
 * What Horizon answers, decoded. Both layers (HTTP and the embedded network without sockets) are this module over
 * their own way of making a call.
 *
 * Source: https://developers.stellar.org/docs/data/apis/horizon/api-reference
 */
import { xdr } from "@stellar/stellar-sdk"
import { Effect, Option, Schema } from "effect"
import { parseAmount } from "../../src/kernel/Amount.ts"
import {
  Horizon,
  HorizonError,
  type HorizonFailure,
  type HorizonPage,
  type HorizonPayment,
  type HorizonTransaction,
} from "../../src/ports/Horizon.ts"

export interface HorizonRequest {
  readonly method: "GET" | "POST"
  /** Path and query, from the root. */
  readonly path: string
  /** Form fields of a POST. */
  readonly form?: Record<string, string>
}

export interface HorizonResponse {
  readonly status: number
  readonly body: unknown
}

/** Makes one call; an answer of any status is an answer. */
export type HorizonCall = (
  operation: string,
  request: HorizonRequest,
) => Effect.Effect<HorizonResponse, HorizonError>

const Root = Schema.Struct({ network_passphrase: Schema.String, history_latest_ledger: Schema.Number })

const AssetFields = {
  asset_type: Schema.String,
  asset_code: Schema.optionalKey(Schema.String),
  asset_issuer: Schema.optionalKey(Schema.String),
}

const Account = Schema.Struct({
  sequence: Schema.String,
  balances: Schema.Array(Schema.Struct({ ...AssetFields, balance: Schema.String })),
})

const Operation = Schema.Struct({
  id: Schema.String,
  type: Schema.String,
  transaction_hash: Schema.String,
  transaction_successful: Schema.Boolean,
  from: Schema.optionalKey(Schema.String),
  to: Schema.optionalKey(Schema.String),
  amount: Schema.optionalKey(Schema.String),
  asset_type: Schema.optionalKey(Schema.String),
  asset_code: Schema.optionalKey(Schema.String),
  asset_issuer: Schema.optionalKey(Schema.String),
  funder: Schema.optionalKey(Schema.String),
  account: Schema.optionalKey(Schema.String),
  starting_balance: Schema.optionalKey(Schema.String),
})
const Operations = Schema.Struct({ _embedded: Schema.Struct({ records: Schema.Array(Operation) }) })

const Transaction = Schema.Struct({
  paging_token: Schema.String,
  hash: Schema.String,
  ledger: Schema.Number,
  successful: Schema.Boolean,
  envelope_xdr: Schema.String,
  result_xdr: Schema.String,
  inner_transaction: Schema.optionalKey(Schema.Struct({ hash: Schema.String })),
})
const Transactions = Schema.Struct({ _embedded: Schema.Struct({ records: Schema.Array(Transaction) }) })

const Submission = Schema.Struct({
  tx_status: Schema.Literals(["PENDING", "DUPLICATE", "TRY_AGAIN_LATER", "ERROR"]),
  hash: Schema.String,
  error_result_xdr: Schema.optionalKey(Schema.String),
})

const Problem = Schema.Struct({ title: Schema.String, detail: Schema.optionalKey(Schema.String) })

const failure = (operation: string, reason: typeof HorizonFailure.Type, message: string, status?: number) =>
  new HorizonError({ operation, reason, message, ...(status === undefined ? {} : { status }) })

const REASON_BY_STATUS: Record<number, typeof HorizonFailure.Type> = {
  404: "not_found",
  408: "timeout",
  429: "rate_limited",
  504: "timeout",
}

const reasonOf = (status: number) =>
  REASON_BY_STATUS[status] ?? (status >= 500 ? "server_error" : "bad_request")

const refuse = (operation: string, { status, body }: HorizonResponse) => {
  const problem = Schema.decodeUnknownOption(Problem)(body)
  const text = Option.match(problem, {
    onNone: () => `Horizon answered ${status}`,
    onSome: ({ title, detail }) => (detail === undefined ? title : `${title}: ${detail}`),
  })
  return failure(operation, reasonOf(status), text, status)
}

const decode = <A>(operation: string, schema: Schema.Codec<A, unknown>, body: unknown) =>
  Schema.decodeUnknownEffect(schema)(body).pipe(
    Effect.mapError((error) => failure(operation, "undecodable_answer", error.message)),
  )

const stroopsOf = (operation: string, text: string) => {
  const stroops = parseAmount(text)
  return typeof stroops === "bigint"
    ? Effect.succeed(stroops)
    : Effect.fail(failure(operation, "undecodable_answer", `"${text}" is not an amount`))
}

const assetOf = (asset: { asset_type?: string; asset_code?: string; asset_issuer?: string }) =>
  asset.asset_type === "native" || asset.asset_type === undefined
    ? "native"
    : `${asset.asset_code ?? ""}:${asset.asset_issuer ?? ""}`

/** create_account moves XLM too, so Horizon lists it among payments, under names of its own. */
const toPayment = Effect.fnUntraced(function* (record: typeof Operation.Type) {
  const amount = record.amount ?? record.starting_balance ?? "0"
  return {
    id: record.id,
    transactionHash: record.transaction_hash,
    successful: record.transaction_successful,
    from: record.from ?? record.funder ?? "",
    to: record.to ?? record.account ?? "",
    asset: assetOf(record),
    amountStroops: yield* stroopsOf("payments", amount),
  } satisfies HorizonPayment
})

/** Undefined for what is no TransactionResult in base64 XDR. */
const successIn = (resultXdr: string): boolean | undefined => {
  try {
    const { type } = xdr.TransactionResult.fromXDR(resultXdr, "base64").result
    return type === "txSuccess" || type === "txFeeBumpInnerSuccess"
  } catch {
    return undefined
  }
}

/** Who was paid hangs on it, so the ledger's own result must say what Horizon says beside it. */
const toTransaction = Effect.fnUntraced(function* (record: typeof Transaction.Type) {
  const { hash, result_xdr: resultXdr, successful } = record
  if (successIn(resultXdr) !== successful) {
    const said = `transaction ${hash} is called ${successful ? "successful" : "failed"}`
    return yield* failure("transactions", "undecodable_answer", `${said}, and its result says something else`)
  }
  return {
    pagingToken: record.paging_token,
    hash,
    ledger: record.ledger,
    successful,
    envelopeXdr: record.envelope_xdr,
    resultXdr,
    innerHash: Option.map(Option.fromUndefinedOr(record.inner_transaction), (inner) => inner.hash),
  } satisfies HorizonTransaction
})

const pageQuery = ({ cursor, limit, order }: HorizonPage) =>
  Option.match(cursor, {
    onNone: () => `order=${order}&limit=${limit}`,
    onSome: (token) => `order=${order}&limit=${limit}&cursor=${token}`,
  })

/** The queue's four answers come with the HTTP statuses 201, 409, 503 and 400; a problem has no tx_status. */
export const speaksForQueue = ({ body }: HorizonResponse): boolean =>
  typeof body === "object" && body !== null && "tx_status" in body

/** The port over a way of calling. */
export const make = (call: HorizonCall): Horizon["Service"] => {
  const get = Effect.fnUntraced(function* <A>(
    operation: string,
    path: string,
    schema: Schema.Codec<A, unknown>,
  ) {
    const response = yield* call(operation, { method: "GET", path })
    if (response.status !== 200) return yield* refuse(operation, response)
    return yield* decode(operation, schema, response.body)
  })

  const account = Effect.fn("Horizon.account")(function* (address: string) {
    const found = yield* get("account", `/accounts/${address}`, Account)
    const balances = yield* Effect.forEach(found.balances, (balance) =>
      Effect.map(stroopsOf("account", balance.balance), (balanceStroops) => ({
        asset: assetOf(balance),
        balanceStroops,
      })),
    )
    return { sequence: BigInt(found.sequence), balances }
  })

  const payments = Effect.fn("Horizon.payments")(function* (
    address: string,
    page: { readonly cursor: Option.Option<string>; readonly limit: number },
  ) {
    const path = `/accounts/${address}/payments?${pageQuery({ ...page, order: "asc" })}`
    const found = yield* get("payments", path, Operations)
    return yield* Effect.forEach(found._embedded.records, toPayment)
  })

  const transactions = Effect.fn("Horizon.transactions")(function* (address: string, page: HorizonPage) {
    const path = `/accounts/${address}/transactions?include_failed=true&${pageQuery(page)}`
    const found = yield* get("transactions", path, Transactions)
    return yield* Effect.forEach(found._embedded.records, toTransaction)
  })

  const submitAsync = Effect.fn("Horizon.submitAsync")(function* (envelopeXdr: string) {
    const response = yield* call("submitAsync", {
      method: "POST",
      path: "/transactions_async",
      form: { tx: envelopeXdr },
    })
    const isRefusal = !speaksForQueue(response) && response.status >= 300
    if (isRefusal) return yield* refuse("submitAsync", response)
    const submission = yield* decode("submitAsync", Submission, response.body)
    const { tx_status: status, hash, error_result_xdr } = submission
    return { status, hash, errorResultXdr: Option.fromUndefinedOr(error_result_xdr) }
  })

  const friendbot = Effect.fn("Horizon.friendbot")(function* (address: string) {
    const response = yield* call("friendbot", { method: "GET", path: `/friendbot?addr=${address}` })
    if (response.status !== 200) return yield* refuse("friendbot", response)
  })

  return Horizon.of({
    root: get("root", "/", Root).pipe(
      Effect.map((root) => ({
        networkPassphrase: root.network_passphrase,
        latestLedger: root.history_latest_ledger,
      })),
      Effect.withSpan("Horizon.root"),
    ),
    account: (address) =>
      account(address).pipe(
        Effect.asSome,
        Effect.catchIf(
          (error) => error.reason === "not_found",
          () => Effect.succeedNone,
        ),
      ),
    payments,
    transactions,
    submitAsync,
    friendbot,
  })
}
