/**
 * What Stellar RPC answers, decoded. Both layers (HTTP and the embedded network without sockets) are this module
 * over their own way of making a call, so that they can differ in nothing but the wire.
 *
 * Source: Stellar RPC's OpenRPC description; times and ledgers come as numbers or decimal strings by version.
 */
import { xdr } from "@stellar/stellar-sdk"
import { Effect, Option, Schema } from "effect"
import { type RpcLedger, SorobanRpc, SorobanRpcError } from "../../src/ports/SorobanRpc.ts"

/** Calls one JSON-RPC method and answers with its `result`. */
export type RpcCall = (
  method: string,
  params?: Record<string, unknown>,
) => Effect.Effect<unknown, SorobanRpcError>

const Health = Schema.Struct({
  status: Schema.String,
  latestLedger: Schema.Number,
  oldestLedger: Schema.Number,
})
const Network = Schema.Struct({
  passphrase: Schema.String,
  protocolVersion: Schema.Union([Schema.Number, Schema.NumberFromString]),
  friendbotUrl: Schema.optionalKey(Schema.String),
})
const LatestLedger = Schema.Struct({ id: Schema.String, sequence: Schema.Number })
const Ledgers = Schema.Struct({
  ledgers: Schema.Array(
    Schema.Struct({ hash: Schema.String, sequence: Schema.Number, headerXdr: Schema.String }),
  ),
})
const LedgerEntries = Schema.Struct({
  latestLedger: Schema.Number,
  entries: Schema.NullOr(
    Schema.Array(
      Schema.Struct({
        key: Schema.String,
        xdr: Schema.String,
        lastModifiedLedgerSeq: Schema.Union([Schema.Number, Schema.NumberFromString]),
      }),
    ),
  ),
})
const Submission = Schema.Struct({
  status: Schema.Literals(["PENDING", "DUPLICATE", "TRY_AGAIN_LATER", "ERROR"]),
  hash: Schema.String,
  latestLedger: Schema.Number,
  errorResultXdr: Schema.optionalKey(Schema.String),
})
const Transaction = Schema.Struct({
  status: Schema.Literals(["SUCCESS", "FAILED", "NOT_FOUND"]),
  latestLedger: Schema.Number,
  oldestLedger: Schema.Number,
  ledger: Schema.optionalKey(Schema.Number),
  resultXdr: Schema.optionalKey(Schema.String),
  envelopeXdr: Schema.optionalKey(Schema.String),
})
const Stroops = Schema.BigIntFromString
const FeeStats = Schema.Struct({
  inclusionFee: Schema.Struct({ p50: Stroops, p90: Stroops, max: Stroops }),
})

const read =
  <A>(call: RpcCall, method: string, schema: Schema.Codec<A, unknown>) =>
  (params?: Record<string, unknown>): Effect.Effect<A, SorobanRpcError> =>
    call(method, params).pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(schema)),
      Effect.catchTag("SchemaError", (error) =>
        Effect.fail(new SorobanRpcError({ method, reason: "undecodable_answer", message: error.message })),
      ),
      Effect.withSpan(`SorobanRpc.${method}`),
    )

/** Ledgers outside the node's retention are answered with an error whose message says so. */
const isOutsideRetention = (error: SorobanRpcError) => error.reason === "invalid_request"

/** The header's XDR is a LedgerHeaderHistoryEntry: the hash beside the header that it is of. */
const toLedger = ({ hash, headerXdr }: (typeof Ledgers.Type)["ledgers"][number]) =>
  Effect.try({
    try: (): RpcLedger => {
      const { maxTxSetSize, scpValue } = xdr.LedgerHeaderHistoryEntry.fromXDR(headerXdr, "base64").header
      return { hash, operationsMax: maxTxSetSize, closedAtMs: Number(scpValue.closeTime) * 1000 }
    },
    catch: () =>
      new SorobanRpcError({
        method: "getLedgers",
        reason: "undecodable_answer",
        message: "headerXdr is no LedgerHeaderHistoryEntry",
      }),
  })

/** An answer that found the transaction but lacks a part of it is no answer; above all it is not "not found". */
const toTransaction = (answer: typeof Transaction.Type) => {
  const { status, latestLedger, oldestLedger, ledger, resultXdr, envelopeXdr } = answer
  const base = { status, latestLedger, oldestLedger }
  if (status === "NOT_FOUND") return Effect.succeed({ ...base, included: Option.none() })
  if (ledger !== undefined && resultXdr !== undefined && envelopeXdr !== undefined) {
    return Effect.succeed({ ...base, included: Option.some({ ledger, resultXdr, envelopeXdr }) })
  }
  return Effect.fail(
    new SorobanRpcError({
      method: "getTransaction",
      reason: "undecodable_answer",
      message: `The answer says ${status}, but lacks the ledger, the result or the envelope`,
    }),
  )
}

/** The port over a way of calling. */
export const make = (call: RpcCall): SorobanRpc["Service"] => {
  const getLedgers = read(call, "getLedgers", Ledgers)
  const getLedgerEntries = read(call, "getLedgerEntries", LedgerEntries)
  const getTransaction = read(call, "getTransaction", Transaction)
  const sendTransaction = read(call, "sendTransaction", Submission)
  return SorobanRpc.of({
    getHealth: read(call, "getHealth", Health)(),
    getNetwork: read(call, "getNetwork", Network)().pipe(
      Effect.map((network) => ({ ...network, friendbotUrl: Option.fromUndefinedOr(network.friendbotUrl) })),
    ),
    getLatestLedger: read(call, "getLatestLedger", LatestLedger)().pipe(
      Effect.map(({ id, sequence }) => ({ sequence, hash: id })),
    ),
    getLedger: (sequence) =>
      getLedgers({ startLedger: sequence, pagination: { limit: 1 } }).pipe(
        Effect.flatMap(({ ledgers }) => {
          const ledger = ledgers.find((candidate) => candidate.sequence === sequence)
          return ledger === undefined ? Effect.succeedNone : Effect.asSome(toLedger(ledger))
        }),
        Effect.catchIf(isOutsideRetention, () => Effect.succeedNone),
      ),
    getLedgerEntries: (keys) =>
      getLedgerEntries({ keys }).pipe(
        Effect.map(({ entries, latestLedger }) => ({
          latestLedger,
          entries: (entries ?? []).map(({ key, xdr, lastModifiedLedgerSeq }) => ({
            key,
            xdr,
            lastModifiedLedger: lastModifiedLedgerSeq,
          })),
        })),
      ),
    sendTransaction: (envelopeXdr) =>
      sendTransaction({ transaction: envelopeXdr }).pipe(
        Effect.map(({ errorResultXdr, ...submission }) => ({
          ...submission,
          errorResultXdr: Option.fromUndefinedOr(errorResultXdr),
        })),
      ),
    getTransaction: (hash) => getTransaction({ hash }).pipe(Effect.flatMap(toTransaction)),
    getFeeStats: read(call, "getFeeStats", FeeStats)().pipe(
      Effect.map(({ inclusionFee }) => ({
        p50Stroops: inclusionFee.p50,
        p90Stroops: inclusionFee.p90,
        maxStroops: inclusionFee.max,
      })),
    ),
  })
}
