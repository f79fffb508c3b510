import type { xdr } from "@stellar/stellar-sdk"

/**
 * Horizon's names of result codes, from services/horizon/internal/codes (main.go). They follow no rule that
 * could be computed: `op_not_aut_maintain_liabilities` is spelt so there.
 */
const transactionCodes: Readonly<Record<string, string>> = {
  txFeeBumpInnerSuccess: "tx_fee_bump_inner_success",
  txFeeBumpInnerFailed: "tx_fee_bump_inner_failed",
  txSuccess: "tx_success",
  txFailed: "tx_failed",
  txTooEarly: "tx_too_early",
  txTooLate: "tx_too_late",
  txMissingOperation: "tx_missing_operation",
  txBadSeq: "tx_bad_seq",
  txBadAuth: "tx_bad_auth",
  txInsufficientBalance: "tx_insufficient_balance",
  txNoAccount: "tx_no_source_account",
  txInsufficientFee: "tx_insufficient_fee",
  txBadAuthExtra: "tx_bad_auth_extra",
  txInternalError: "tx_internal_error",
  txNotSupported: "tx_not_supported",
  txBadSponsorship: "tx_bad_sponsorship",
  txBadMinSeqAgeOrGap: "tx_bad_minseq_age_or_gap",
  txMalformed: "tx_malformed",
  txSorobanInvalid: "tx_soroban_invalid",
}

const outerCodes: Readonly<Record<string, string>> = {
  opBadAuth: "op_bad_auth",
  opNoAccount: "op_no_source_account",
  opNotSupported: "op_not_supported",
  opTooManySubentries: "op_too_many_subentries",
  opExceededWorkLimit: "op_exceeded_work_limit",
}

const paymentCodes: Readonly<Record<string, string>> = {
  createAccountSuccess: "op_success",
  createAccountMalformed: "op_malformed",
  createAccountUnderfunded: "op_underfunded",
  createAccountLowReserve: "op_low_reserve",
  createAccountAlreadyExist: "op_already_exists",
  paymentSuccess: "op_success",
  paymentMalformed: "op_malformed",
  paymentUnderfunded: "op_underfunded",
  paymentSrcNoTrust: "op_src_no_trust",
  paymentSrcNotAuthorized: "op_src_not_authorized",
  paymentNoDestination: "op_no_destination",
  paymentNoTrust: "op_no_trust",
  paymentNotAuthorized: "op_not_authorized",
  paymentLineFull: "op_line_full",
  paymentNoIssuer: "op_no_issuer",
  accountMergeSuccess: "op_success",
  accountMergeMalformed: "op_malformed",
  accountMergeNoAccount: "op_no_account",
  accountMergeImmutableSet: "op_immutable_set",
  accountMergeHasSubEntries: "op_has_sub_entries",
  accountMergeSeqnumTooFar: "op_seq_num_too_far",
  accountMergeDestFull: "op_dest_full",
  accountMergeIsSponsor: "op_is_sponsor",
}

const accountCodes: Readonly<Record<string, string>> = {
  setOptionsSuccess: "op_success",
  setOptionsLowReserve: "op_low_reserve",
  setOptionsTooManySigners: "op_too_many_signers",
  setOptionsBadFlags: "op_bad_flags",
  setOptionsInvalidInflation: "op_invalid_inflation",
  setOptionsCantChange: "op_cant_change",
  setOptionsUnknownFlag: "op_unknown_flag",
  setOptionsThresholdOutOfRange: "op_threshold_out_of_range",
  setOptionsBadSigner: "op_bad_signer",
  setOptionsInvalidHomeDomain: "op_invalid_home_domain",
  setOptionsAuthRevocableRequired: "op_auth_revocable_required",
  manageDataSuccess: "op_success",
  manageDataNotSupportedYet: "op_not_supported_yet",
  manageDataNameNotFound: "op_data_name_not_found",
  manageDataLowReserve: "op_low_reserve",
  manageDataInvalidName: "op_data_invalid_name",
  bumpSequenceSuccess: "op_success",
  bumpSequenceBadSeq: "op_bad_seq",
}

const trustCodes: Readonly<Record<string, string>> = {
  changeTrustSuccess: "op_success",
  changeTrustMalformed: "op_malformed",
  changeTrustNoIssuer: "op_no_issuer",
  changeTrustInvalidLimit: "op_invalid_limit",
  changeTrustLowReserve: "op_low_reserve",
  changeTrustSelfNotAllowed: "op_self_not_allowed",
  changeTrustTrustLineMissing: "op_trust_line_missing",
  changeTrustCannotDelete: "op_cannot_delete",
  changeTrustNotAuthMaintainLiabilities: "op_not_aut_maintain_liabilities",
  allowTrustSuccess: "op_success",
  allowTrustMalformed: "op_malformed",
  allowTrustNoTrustLine: "op_no_trust",
  allowTrustTrustNotRequired: "op_not_required",
  allowTrustCantRevoke: "op_cant_revoke",
  allowTrustSelfNotAllowed: "op_self_not_allowed",
  allowTrustLowReserve: "op_low_reserve",
  setTrustLineFlagsSuccess: "op_success",
  setTrustLineFlagsMalformed: "op_malformed",
  setTrustLineFlagsNoTrustLine: "op_no_trust",
  setTrustLineFlagsCantRevoke: "op_cant_revoke",
  setTrustLineFlagsInvalidState: "op_invalid_state",
  setTrustLineFlagsLowReserve: "op_low_reserve",
  clawbackSuccess: "op_success",
  clawbackMalformed: "op_malformed",
  clawbackNotClawbackEnabled: "op_not_clawback_enabled",
  clawbackNoTrust: "op_no_trust",
  clawbackUnderfunded: "op_underfunded",
}

const sponsorshipCodes: Readonly<Record<string, string>> = {
  beginSponsoringFutureReservesSuccess: "op_success",
  beginSponsoringFutureReservesMalformed: "op_malformed",
  beginSponsoringFutureReservesAlreadySponsored: "op_already_sponsored",
  beginSponsoringFutureReservesRecursive: "op_recursive",
  endSponsoringFutureReservesSuccess: "op_success",
  endSponsoringFutureReservesNotSponsored: "op_not_sponsored",
  revokeSponsorshipSuccess: "op_success",
  revokeSponsorshipDoesNotExist: "op_does_not_exist",
  revokeSponsorshipNotSponsor: "op_not_sponsor",
  revokeSponsorshipLowReserve: "op_low_reserve",
  revokeSponsorshipOnlyTransferable: "op_only_transferable",
  revokeSponsorshipMalformed: "op_malformed",
}

const claimableBalanceCodes: Readonly<Record<string, string>> = {
  createClaimableBalanceSuccess: "op_success",
  createClaimableBalanceMalformed: "op_malformed",
  createClaimableBalanceLowReserve: "op_low_reserve",
  createClaimableBalanceNoTrust: "op_no_trust",
  createClaimableBalanceNotAuthorized: "op_not_authorized",
  createClaimableBalanceUnderfunded: "op_underfunded",
  claimClaimableBalanceSuccess: "op_success",
  claimClaimableBalanceDoesNotExist: "op_does_not_exist",
  claimClaimableBalanceCannotClaim: "op_cannot_claim",
  claimClaimableBalanceLineFull: "op_line_full",
  claimClaimableBalanceNoTrust: "op_no_trust",
  claimClaimableBalanceNotAuthorized: "op_not_authorized",
  clawbackClaimableBalanceSuccess: "op_success",
  clawbackClaimableBalanceDoesNotExist: "op_does_not_exist",
  clawbackClaimableBalanceNotIssuer: "op_no_issuer",
  clawbackClaimableBalanceNotClawbackEnabled: "op_not_clawback_enabled",
}

const innerCodes: Readonly<Record<string, string>> = {
  ...paymentCodes,
  ...accountCodes,
  ...trustCodes,
  ...sponsorshipCodes,
  ...claimableBalanceCodes,
}

/** What Horizon's `codes.String` answers for a code that it has no name for. */
class UnknownResultCode extends Error {}

const nameOf = (table: Readonly<Record<string, string>>, variant: string): string => {
  const name = Object.hasOwn(table, variant) ? table[variant] : undefined
  if (name === undefined) throw new UnknownResultCode(`Unknown result code: ${variant}`)
  return name
}

/** @throws UnknownResultCode for operations that this network does not know */
export const operationResultCode = (result: xdr.OperationResult): string =>
  result.type === "opInner" ? nameOf(innerCodes, result.tr.value.type) : nameOf(outerCodes, result.type)

export interface ResultCodes {
  readonly transaction: string
  readonly inner_transaction?: string
  readonly operations?: ReadonlyArray<string>
}

/**
 * `extras.result_codes` of a failed submission. Operations are named only where the transaction reached
 * them; for a fee bump they are those of the inner transaction.
 */
export const resultCodes = (result: xdr.TransactionResult): ResultCodes => {
  const outer = result.result
  const transaction = nameOf(transactionCodes, outer.type)
  if (outer.type === "txFeeBumpInnerSuccess" || outer.type === "txFeeBumpInnerFailed") {
    const inner = outer.innerResultPair.result.result
    const operations = inner.type === "txSuccess" || inner.type === "txFailed" ? inner.results : []
    return {
      transaction,
      inner_transaction: nameOf(transactionCodes, inner.type),
      ...(operations.length > 0 ? { operations: operations.map(operationResultCode) } : {}),
    }
  }
  if (outer.type === "txSuccess" || outer.type === "txFailed") {
    return { transaction, operations: outer.results.map(operationResultCode) }
  }
  return { transaction }
}
