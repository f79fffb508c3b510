/** Operation types that this network applies. Every other type is refused as opNOT_SUPPORTED. */
import type { OperationFrame } from "./Frame.ts"
import {
  type ApplyContext,
  NOT_SUPPORTED,
  type OperationRules,
  type Outcome,
  Threshold,
} from "./Operations.ts"
import { accountMerge } from "./operations/AccountMerge.ts"
import { bumpSequence } from "./operations/BumpSequence.ts"
import { changeTrust } from "./operations/ChangeTrust.ts"
import {
  claimClaimableBalance,
  clawbackClaimableBalance,
  createClaimableBalance,
} from "./operations/ClaimableBalances.ts"
import { clawback } from "./operations/Clawback.ts"
import { createAccount } from "./operations/CreateAccount.ts"
import { manageData } from "./operations/ManageData.ts"
import { payment } from "./operations/Payment.ts"
import { revokeSponsorship } from "./operations/RevokeSponsorship.ts"
import { setOptions } from "./operations/SetOptions.ts"
import { beginSponsoring, endSponsoring } from "./operations/Sponsoring.ts"
import { allowTrust, setTrustLineFlags } from "./operations/TrustlineFlags.ts"

interface BoundRules {
  readonly threshold: Threshold
  /** isOpSupported: set for the types that this network does not apply. */
  readonly unsupported?: Outcome
  readonly check: () => Outcome | undefined
  readonly apply: (context: ApplyContext) => Outcome
}

const bind = <Body>(rules: OperationRules<Body>, body: Body, operation: OperationFrame): BoundRules => ({
  threshold: rules.threshold(body),
  check: () => rules.check(body, operation),
  apply: (context) => rules.apply(body, operation, context),
})

const UNSUPPORTED: BoundRules = {
  threshold: Threshold.medium,
  unsupported: NOT_SUPPORTED,
  check: () => NOT_SUPPORTED,
  apply: () => NOT_SUPPORTED,
}

const bindRules = (operation: OperationFrame): BoundRules => {
  const { body } = operation
  switch (body.type) {
    case "createAccount":
      return bind(createAccount, body.createAccountOp, operation)
    case "payment":
      return bind(payment, body.paymentOp, operation)
    case "changeTrust":
      return bind(changeTrust, body.changeTrustOp, operation)
    case "setOptions":
      return bind(setOptions, body.setOptionsOp, operation)
    case "beginSponsoringFutureReserves":
      return bind(beginSponsoring, body.beginSponsoringFutureReservesOp, operation)
    case "endSponsoringFutureReserves":
      return bind(endSponsoring, null, operation)
    case "setTrustLineFlags":
      return bind(setTrustLineFlags, body.setTrustLineFlagsOp, operation)
    case "allowTrust":
      return bind(allowTrust, body.allowTrustOp, operation)
    case "createClaimableBalance":
      return bind(createClaimableBalance, body.createClaimableBalanceOp, operation)
    case "claimClaimableBalance":
      return bind(claimClaimableBalance, body.claimClaimableBalanceOp, operation)
    case "clawbackClaimableBalance":
      return bind(clawbackClaimableBalance, body.clawbackClaimableBalanceOp, operation)
    case "clawback":
      return bind(clawback, body.clawbackOp, operation)
    case "bumpSequence":
      return bind(bumpSequence, body.bumpSequenceOp, operation)
    case "manageData":
      return bind(manageData, body.manageDataOp, operation)
    case "accountMerge":
      return bind(accountMerge, body.destination, operation)
    case "revokeSponsorship":
      return bind(revokeSponsorship, body.revokeSponsorshipOp, operation)
    default:
      return UNSUPPORTED
  }
}

const bound = new WeakMap<OperationFrame, BoundRules>()

/** The rules for one operation, with its body bound. */
export const rulesOf = (operation: OperationFrame): BoundRules => {
  const known = bound.get(operation)
  if (known !== undefined) return known
  const rules = bindRules(operation)
  bound.set(operation, rules)
  return rules
}
