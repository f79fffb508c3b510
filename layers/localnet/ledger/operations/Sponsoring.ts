/**
 * stellar-core src/transactions/BeginSponsoringFutureReservesOpFrame.cpp and
 * EndSponsoringFutureReservesOpFrame.cpp
 */
import { xdr } from "@stellar/stellar-sdk"
import { accountOf } from "../Codec.ts"
import { failed, type OperationRules, succeeded, Threshold } from "../Operations.ts"
import { isSponsoring } from "../Sponsorship.ts"

const begun = xdr.OperationResultTr.beginSponsoringFutureReserves
const Begin = xdr.BeginSponsoringFutureReservesResult
const BEGIN_SUCCESS = succeeded(begun(Begin.beginSponsoringFutureReservesSuccess()))
const BEGIN_MALFORMED = failed(begun(Begin.beginSponsoringFutureReservesMalformed()))
const BEGIN_ALREADY_SPONSORED = failed(begun(Begin.beginSponsoringFutureReservesAlreadySponsored()))
const BEGIN_RECURSIVE = failed(begun(Begin.beginSponsoringFutureReservesRecursive()))

const ended = xdr.OperationResultTr.endSponsoringFutureReserves
const End = xdr.EndSponsoringFutureReservesResult
const END_SUCCESS = succeeded(ended(End.endSponsoringFutureReservesSuccess()))
const END_NOT_SPONSORED = failed(ended(End.endSponsoringFutureReservesNotSponsored()))

export const beginSponsoring: OperationRules<xdr.BeginSponsoringFutureReservesOp> = {
  threshold: () => Threshold.medium,
  check: ({ sponsoredId }, { source }) => (accountOf(sponsoredId) === source ? BEGIN_MALFORMED : undefined),
  apply: ({ sponsoredId }, { source }, { sponsorships }) => {
    const sponsored = accountOf(sponsoredId)
    if (sponsorships.has(sponsored)) return BEGIN_ALREADY_SPONSORED
    if (sponsorships.has(source) || isSponsoring(sponsorships, sponsored)) return BEGIN_RECURSIVE
    sponsorships.set(sponsored, source)
    return BEGIN_SUCCESS
  },
}

export const endSponsoring: OperationRules<null> = {
  threshold: () => Threshold.medium,
  check: () => undefined,
  // The sponsored account ends it: its source is the account that a sponsorship is open for.
  apply: (_, { source }, { sponsorships }) => (sponsorships.delete(source) ? END_SUCCESS : END_NOT_SPONSORED),
}
