/**
 * Upkeep transactions on their way: signed for what one answer of the ledger shows, stored, sent, sent again, and
 * ended by what the ledger says about them. Any worker may take any step; the database lets one through.
 *
 * Invariant: what a transaction does was decided on the very answer that its sequence comes from. So it can apply
 * only on that state of the distribution account, and doing something twice would take a second sequence, whose answer
 * already shows the first one's effect. How it would break: deciding on one answer, and taking the sequence from a
 * later one. The verdict is that of a batch (Verdict.ts); a sequence that another hand has consumed is no harm here,
 * since this transaction can then never apply.
 */
import { Account, TransactionBuilder, type xdr } from "@stellar/stellar-sdk"
import { Clock, Effect, Metric, Option } from "effect"
import { Signer, type SignerKey } from "../ports/Signer.ts"
import { type RpcTransaction, SorobanRpc } from "../ports/SorobanRpc.ts"
import { Submission } from "../ports/Submission.ts"
import { bidForOperation } from "./FeeBid.ts"
import { FeeMarket } from "./FeeMarket.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { readAccounts } from "./LedgerAccounts.ts"
import { sayNowAndThen } from "./SayNowAndThen.ts"
import { readSubmission } from "./SubmissionOutcome.ts"
import { decodeResult, transactionCode } from "./TransactionOutcome.ts"
import {
  endUpkeep,
  openUpkeep,
  storeUpkeep,
  touchUpkeep,
  type UpkeepEnd,
  type UpkeepPurpose,
  type UpkeepTransaction,
} from "./UpkeepTransactions.ts"
import { type ChannelView, decide, judge } from "./Verdict.ts"

/** Ledgers in which one may apply. Raising it is safe; see `ledgerSigned`. */
const UPKEEP_LEDGERS = 12

/** The time bound beside it, in seconds: as long as that of payments, for the same slow clocks. */
const UPKEEP_SECONDS = 240

/** The same bytes are handed in again after this time without an end, in ms. */
const RESEND_MS = 4_000

/** Operations that one transaction holds at most (stellar-core: MAX_OPS_PER_TX). */
export const UPKEEP_OPERATIONS_MAX = 100

const endedTotal = Metric.counter("issuance.upkeep_transactions_total", {
  description:
    "Transactions of the distribution account for channels and claimable balances, by purpose and outcome",
  incremental: true,
})

export interface UpkeepPlan {
  readonly purpose: UpkeepPurpose
  readonly operations: ReadonlyArray<xdr.Operation>
  readonly subjects: ReadonlyArray<string>
  readonly keys: ReadonlyArray<SignerKey>
  /** The answer that it was decided on: its ledger, and the distribution account's sequence in it. */
  readonly latestLedger: number
  readonly sequence: bigint
  /** XLM that the distribution account can spend by that answer, stroops. */
  readonly availableStroops: bigint
}

const build = Effect.fnUntraced(function* (plan: UpkeepPlan, ledgerMax: number) {
  const { distributionAddress } = yield* Signer
  const settings = yield* IssuanceSettings
  const market = yield* FeeMarket
  const fee = bidForOperation(yield* market.charged(plan.latestLedger), settings)
  const nowSeconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const builder = new TransactionBuilder(new Account(distributionAddress, plan.sequence.toString()), {
    fee: String(fee),
    networkPassphrase: settings.networkPassphrase,
    timebounds: { minTime: 0, maxTime: nowSeconds + UPKEEP_SECONDS },
    ledgerbounds: { minLedger: 0, maxLedger: ledgerMax },
  })
  for (const operation of plan.operations) builder.addOperation(operation)
  return builder.build().toXDR()
})

const send = Effect.fn("UpkeepSteps.send")(function* ({ envelopeXdr, hash, purpose }: UpkeepTransaction) {
  const submission = yield* Submission
  const answer = yield* submission.submit(envelopeXdr).pipe(
    Effect.map(readSubmission),
    // A lost answer is not a failure: the envelope may be in flight, and the verdict will tell.
    Effect.catchTag("SubmissionError", ({ reason }) =>
      Effect.succeed({ text: `no answer: ${reason}`, alert: false }),
    ),
  )
  const log = answer.alert ? Effect.logWarning : Effect.logDebug
  yield* log("an upkeep transaction was handed in; the verdict decides").pipe(
    Effect.annotateLogs({ hash, purpose, answer: answer.text }),
  )
})

/**
 * Signs, stores and sends one; false when another one is open, which is then to be advanced first, or when its XLM is
 * promised to others by now.
 *
 * @error SignerError where there is no signature; nothing was stored then
 */
export const submitUpkeep = Effect.fn("UpkeepSteps.submit")(function* (plan: UpkeepPlan) {
  const signer = yield* Signer
  const ledgerMax = plan.latestLedger + 1 + UPKEEP_LEDGERS
  const signed = yield* signer.sign(yield* build(plan, ledgerMax), plan.keys)
  const transaction: UpkeepTransaction = {
    hash: signed.hash,
    purpose: plan.purpose,
    sequence: plan.sequence + 1n,
    envelopeXdr: signed.envelopeXdr,
    subjects: plan.subjects,
    ledgerMax,
  }
  const stored = yield* storeUpkeep(transaction, plan)
  if (stored === "unaffordable") {
    yield* sayNowAndThen(
      `unaffordable ${plan.purpose}`,
      Effect.logWarning(
        "an upkeep transaction waits for XLM: what the distribution account can spend is promised",
      ).pipe(Effect.annotateLogs({ purpose: plan.purpose })),
    )
  }
  if (stored !== "stored") return false
  yield* send(transaction)
  return true
})

const end = Effect.fnUntraced(function* (open: UpkeepTransaction, how: UpkeepEnd) {
  if (!(yield* endUpkeep(open, how))) return
  yield* Metric.update(Metric.withAttributes(endedTotal, { purpose: open.purpose, outcome: how.status }), 1)
  const code = how.status === "expired" ? "expired" : codeOf(how.resultXdr)
  const log = how.status === "failed" ? Effect.logError : Effect.logInfo
  yield* log(`an upkeep transaction has ${how.status}`).pipe(
    Effect.annotateLogs({ hash: open.hash, purpose: open.purpose, operations: open.subjects.length, code }),
  )
})

const codeOf = (resultXdr: string): string => {
  const result = decodeResult(resultXdr)
  return result === undefined ? "undecodable" : transactionCode(result)
}

/** Undefined when status and result contradict each other, or the result cannot be read: then nothing is believed. */
const endOf = ({ included, status }: RpcTransaction): UpkeepEnd | undefined => {
  if (Option.isNone(included)) return undefined
  const { ledger, resultXdr } = included.value
  const code = codeOf(resultXdr)
  if (code === "undecodable" || (code === "tx_success") !== (status === "SUCCESS")) return undefined
  return { status: status === "SUCCESS" ? "applied" : "failed", ledger, resultXdr }
}

/** "free": none is open any more, the next one may come. "open": it still waits for its end. */
export type UpkeepState = "free" | "open"

const settleByLookUp = Effect.fnUntraced(function* (
  open: UpkeepTransaction,
  view: ChannelView,
  ledgerSigned: number,
) {
  const rpc = yield* SorobanRpc
  const transaction = yield* rpc.getTransaction(open.hash)
  const { latestLedger, oldestLedger } = transaction
  const found = Option.isSome(transaction.included)
  const envelope = { hash: open.hash, ledgerSigned, ledgerMax: open.ledgerMax, expired: false }
  const judgement = judge(view, [envelope], [{ hash: open.hash, found, latestLedger, oldestLedger }])
  if (judgement._tag === "UnknownHand") {
    yield* Effect.logWarning("somebody else used the distribution account's sequence; ours can never apply")
    yield* end(open, { status: "expired" })
    return "free" as UpkeepState
  }
  const how = judgement._tag === "Settle" ? endOf(transaction) : undefined
  if (how !== undefined) {
    yield* end(open, how)
    return "free"
  }
  if (judgement._tag === "Settle" || judgement.reason === "history_incomplete") {
    yield* Effect.logError("an upkeep transaction has no end: the node cannot say what became of it").pipe(
      Effect.annotateLogs({ hash: open.hash, purpose: open.purpose }),
    )
  }
  return "open"
})

/**
 * Takes the open transaction, whoever made it, one step further; "free" when there is none, or none any more.
 *
 * @error SorobanRpcError where the node gave no answer
 */
export const advanceUpkeep = Effect.fn("UpkeepSteps.advance")(function* () {
  const open = yield* openUpkeep
  if (open === undefined) return "free" as UpkeepState
  const { distributionAddress } = yield* Signer
  const { accounts, latestLedger } = yield* readAccounts([distributionAddress])
  const account = accounts.get(distributionAddress)
  const view: ChannelView = {
    latestLedger,
    sequence: account?.sequence,
    sequenceLedger: account?.sequenceLedger,
  }
  // Not stored: a bound lived UPKEEP_LEDGERS at most, so it was signed no earlier. A version of this program with
  // another number errs by the difference, and only where a node's history ends right there.
  const ledgerSigned = open.ledgerMax - 1 - UPKEEP_LEDGERS
  const envelope = { hash: open.hash, ledgerSigned, ledgerMax: open.ledgerMax, expired: false }
  const decision = decide(view, open.sequence, [envelope])
  switch (decision._tag) {
    case "LookUp":
      return yield* settleByLookUp(open, view, ledgerSigned)
    case "Rebuild":
      yield* end(open, { status: "expired" })
      return "free"
    // "Lost": there is no distribution account, and nothing that could be done about it here.
    case "Lost":
    case "Wait":
    case "Build":
      if ((yield* Clock.currentTimeMillis) >= open.sentAtMs + RESEND_MS) {
        yield* touchUpkeep(open.hash)
        yield* send(open)
      }
      return "open"
  }
})
