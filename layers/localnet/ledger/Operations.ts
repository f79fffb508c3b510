/** What the engine asks of an operation type; `operations/` holds one file for each type. */
import { xdr } from "@stellar/stellar-sdk"
import type { AccountKey } from "./Entries.ts"
import type { EnvelopeFrame, OperationFrame } from "./Frame.ts"
import type { LedgerTerms } from "./Reserves.ts"
import type { OpenSponsorships, SponsorshipContext, SponsorshipOutcome } from "./Sponsorship.ts"

export interface Outcome {
  readonly ok: boolean
  readonly result: xdr.OperationResult
}

export interface ApplyContext extends SponsorshipContext {
  readonly terms: LedgerTerms
  readonly sponsorships: OpenSponsorships
  readonly frame: EnvelopeFrame
  /** The sequence that an account's own transaction of this ledger has, by account. */
  readonly sequencesInLedger: ReadonlyMap<AccountKey, bigint>
}

/** Index into AccountState.thresholds. */
export const Threshold = { low: 1, medium: 2, high: 3 } as const
export type Threshold = (typeof Threshold)[keyof typeof Threshold]

export interface OperationRules<Body> {
  readonly threshold: (body: Body) => Threshold
  /** What is wrong with the operation whatever the ledger holds (doCheckValid); undefined when nothing is. */
  readonly check: (body: Body, operation: OperationFrame) => Outcome | undefined
  /** doApply. Runs in a frame of the state that the caller rolls back unless the outcome is ok. */
  readonly apply: (body: Body, operation: OperationFrame, context: ApplyContext) => Outcome
}

const outcome =
  (ok: boolean) =>
  (tr: xdr.OperationResultTr): Outcome => ({ ok, result: xdr.OperationResult.opInner(tr) })

export const succeeded = outcome(true)
export const failed = outcome(false)

const refused = (result: xdr.OperationResult): Outcome => ({ ok: false, result })

export const BAD_AUTH = refused(xdr.OperationResult.opBadAuth())
export const NO_ACCOUNT = refused(xdr.OperationResult.opNoAccount())
export const NOT_SUPPORTED = refused(xdr.OperationResult.opNotSupported())
const TOO_MANY_SUBENTRIES = refused(xdr.OperationResult.opTooManySubentries())
const TOO_MANY_SPONSORING = refused(xdr.OperationResult.opTooManySponsoring())

/** The result of a sponsorship that was refused; the operation names its own code for a low reserve. */
export const sponsorshipRefused = (
  reason: Exclude<SponsorshipOutcome, "success">,
  lowReserve: Outcome,
): Outcome => {
  switch (reason) {
    case "lowReserve":
      return lowReserve
    case "tooManySubentries":
      return TOO_MANY_SUBENTRIES
    case "tooManySponsoring":
      return TOO_MANY_SPONSORING
  }
}
