/**
 * Which test expects which result code: of each operation, of any operation, of a transaction. ResultCodes.test.ts
 * holds the list against the tests.
 */
export interface Provocation {
  /** The test file in this folder, without .test.ts. */
  readonly file: string
  readonly test: string
  readonly codes: ReadonlyArray<string>
}

export const PROVOKED: ReadonlyArray<Provocation> = [
  {
    file: "CreateAccount",
    test: "creates: balance as asked, sequence is the ledger's shifted by 32 bits, master weight 1",
    codes: ["txSuccess", "createAccountSuccess"],
  },
  {
    file: "CreateAccount",
    test: "MALFORMED: a negative balance, or oneself (doCheckValid)",
    codes: ["txFailed", "createAccountMalformed"],
  },
  {
    file: "CreateAccount",
    test: "UNDERFUNDED: what is above the source's own reserve counts, after the fee",
    codes: ["createAccountUnderfunded"],
  },
  {
    file: "CreateAccount",
    test: "LOW_RESERVE below two base reserves, which is 1 XLM",
    codes: ["createAccountLowReserve"],
  },
  {
    file: "CreateAccount",
    test: "ALREADY_EXIST comes before any look at the balance",
    codes: ["createAccountAlreadyExist"],
  },
  { file: "Payment", test: "moves the amount; the fee is the source's", codes: ["paymentSuccess"] },
  { file: "Payment", test: "MALFORMED: an amount that is not positive", codes: ["paymentMalformed"] },
  { file: "Payment", test: "UNDERFUNDED respects the reserve, to the stroop", codes: ["paymentUnderfunded"] },
  { file: "Payment", test: "SRC_NO_TRUST, UNDERFUNDED", codes: ["paymentSrcNoTrust"] },
  {
    file: "Payment",
    test: "NOT_AUTHORIZED and SRC_NOT_AUTHORIZED under AUTH_REQUIRED",
    codes: ["paymentSrcNotAuthorized", "paymentNotAuthorized"],
  },
  { file: "Payment", test: "NO_DESTINATION", codes: ["paymentNoDestination"] },
  {
    file: "Payment",
    test: "NO_TRUST and LINE_FULL of the destination come before anything of the source",
    codes: ["paymentNoTrust"],
  },
  {
    file: "Payment",
    test: "LINE_FULL where the destination would pass int64 (updateDestBalance since protocol 11)",
    codes: ["paymentLineFull"],
  },
  { file: "SetOptions", test: "LOW_RESERVE: a signer takes half a lumen", codes: ["setOptionsLowReserve"] },
  { file: "SetOptions", test: "TOO_MANY_SIGNERS past 20 (MAX_SIGNERS)", codes: ["setOptionsTooManySigners"] },
  {
    file: "SetOptions",
    test: "UNKNOWN_FLAG, BAD_FLAGS, THRESHOLD_OUT_OF_RANGE, BAD_SIGNER, INVALID_HOME_DOMAIN (doCheckValid)",
    codes: [
      "setOptionsBadFlags",
      "setOptionsUnknownFlag",
      "setOptionsThresholdOutOfRange",
      "setOptionsBadSigner",
      "setOptionsInvalidHomeDomain",
    ],
  },
  {
    file: "SetOptions",
    test: "INVALID_INFLATION: a destination that does not exist",
    codes: ["setOptionsInvalidInflation"],
  },
  { file: "SetOptions", test: "CANT_CHANGE once AUTH_IMMUTABLE is set", codes: ["setOptionsCantChange"] },
  {
    file: "SetOptions",
    test: "AUTH_REVOCABLE_REQUIRED: clawback presupposes it (CAP-35)",
    codes: ["setOptionsAuthRevocableRequired"],
  },
  {
    file: "ChangeTrust",
    test: "a pool share is refused as not supported: this network has no liquidity pools",
    codes: ["opNotSupported"],
  },
  { file: "ChangeTrust", test: "opTOO_MANY_SUBENTRIES past 1,000", codes: ["opTooManySubentries"] },
  {
    file: "ChangeTrust",
    test: "MALFORMED: a negative limit, lumens, an invalid code, one's own asset",
    codes: ["changeTrustMalformed"],
  },
  { file: "ChangeTrust", test: "NO_ISSUER", codes: ["changeTrustNoIssuer"] },
  {
    file: "ChangeTrust",
    test: "INVALID_LIMIT: deleting what is not there, and a limit below the balance",
    codes: ["changeTrustInvalidLimit"],
  },
  {
    file: "ChangeTrust",
    test: "LOW_RESERVE: a line takes half a lumen of reserve, counted after the fee",
    codes: ["changeTrustLowReserve"],
  },
  {
    file: "TrustlineFlags",
    test: "authorises by code; SUCCESS, NO_TRUST_LINE, CANT_REVOKE, MALFORMED",
    codes: ["allowTrustSuccess", "allowTrustMalformed", "allowTrustNoTrustLine", "allowTrustCantRevoke"],
  },
  {
    file: "TrustlineFlags",
    test: "burns what a holder has; SUCCESS, UNDERFUNDED, NO_TRUST",
    codes: ["clawbackSuccess", "clawbackNoTrust", "clawbackUnderfunded"],
  },
  {
    file: "TrustlineFlags",
    test: "MALFORMED: nothing, lumens, oneself, another's asset",
    codes: ["clawbackMalformed"],
  },
  {
    file: "TrustlineFlags",
    test: "NOT_CLAWBACK_ENABLED for a line from before, or one that was let off",
    codes: ["clawbackNotClawbackEnabled"],
  },
  {
    file: "TrustlineFlags",
    test: "authorises, and takes it back where the issuer may revoke",
    codes: ["setTrustLineFlagsSuccess"],
  },
  {
    file: "TrustlineFlags",
    test: "MALFORMED: not the issuer, oneself, overlapping flags, giving clawback, unknown flags, lumens",
    codes: ["setTrustLineFlagsMalformed"],
  },
  {
    file: "TrustlineFlags",
    test: "INVALID_STATE: both kinds of authorisation at once; NO_TRUST_LINE",
    codes: ["setTrustLineFlagsNoTrustLine", "setTrustLineFlagsInvalidState"],
  },
  {
    file: "TrustlineFlags",
    test: "CANT_REVOKE without AUTH_REVOCABLE, for each way down",
    codes: ["setTrustLineFlagsCantRevoke"],
  },
  {
    file: "AccountOperations",
    test: "moves all that is left after the fee, and the account is gone",
    codes: ["accountMergeSuccess"],
  },
  {
    file: "AccountOperations",
    test: "MALFORMED into itself, NO_ACCOUNT, IMMUTABLE_SET, HAS_SUB_ENTRIES",
    codes: [
      "accountMergeMalformed",
      "accountMergeNoAccount",
      "accountMergeImmutableSet",
      "accountMergeHasSubEntries",
    ],
  },
  {
    file: "AccountOperations",
    test: "SEQNUM_TOO_FAR: a sequence that a new account of this ledger would start at, or beyond",
    codes: ["accountMergeSeqnumTooFar"],
  },
  {
    file: "AccountOperations",
    test: "IS_SPONSOR while it pays for somebody",
    codes: ["accountMergeIsSponsor"],
  },
  {
    file: "AccountOperations",
    test: "sets, changes, removes; a subentry while it is there",
    codes: ["manageDataSuccess"],
  },
  {
    file: "AccountOperations",
    test: "NAME_NOT_FOUND, INVALID_NAME, LOW_RESERVE",
    codes: ["manageDataNameNotFound", "manageDataLowReserve", "manageDataInvalidName"],
  },
  {
    file: "AccountOperations",
    test: "forward; back is no error and no change",
    codes: ["bumpSequenceSuccess"],
  },
  {
    file: "AccountOperations",
    test: "BAD_SEQ: a negative number; a low threshold is enough",
    codes: ["bumpSequenceBadSeq"],
  },
  {
    file: "AccountMerge",
    test: "IS_SPONSOR while a sponsorship that it began is open, though it pays for nothing yet",
    codes: ["beginSponsoringFutureReservesSuccess", "endSponsoringFutureReservesSuccess"],
  },
  {
    file: "ClaimableBalances",
    test: "lumens: the creator carries a reserve for each claimant until somebody claims",
    codes: [
      "createClaimableBalanceSuccess",
      "claimClaimableBalanceSuccess",
      "claimClaimableBalanceDoesNotExist",
    ],
  },
  {
    file: "ClaimableBalances",
    test: "MALFORMED: no amount, no claimant, one twice, a bad predicate, a bad asset",
    codes: ["createClaimableBalanceMalformed"],
  },
  {
    file: "ClaimableBalances",
    test: "UNDERFUNDED, NO_TRUST, NOT_AUTHORIZED, LOW_RESERVE",
    codes: [
      "createClaimableBalanceLowReserve",
      "createClaimableBalanceNoTrust",
      "createClaimableBalanceNotAuthorized",
      "createClaimableBalanceUnderfunded",
    ],
  },
  {
    file: "ClaimableBalances",
    test: "CANNOT_CLAIM by a stranger",
    codes: ["claimClaimableBalanceCannotClaim"],
  },
  {
    file: "ClaimableBalances",
    test: "an issued asset needs no line of its claimant before it is claimed",
    codes: ["claimClaimableBalanceLineFull", "claimClaimableBalanceNoTrust"],
  },
  {
    file: "ClaimableBalances",
    test: "NOT_AUTHORIZED to claim where the issuer has not agreed",
    codes: ["claimClaimableBalanceNotAuthorized"],
  },
  {
    file: "ClaimableBalances",
    test: "by the issuer, where it was enabled when the balance was made",
    codes: [
      "clawbackClaimableBalanceSuccess",
      "clawbackClaimableBalanceDoesNotExist",
      "clawbackClaimableBalanceNotIssuer",
      "clawbackClaimableBalanceNotClawbackEnabled",
    ],
  },
  {
    file: "Sponsoring",
    test: "txBAD_SPONSORSHIP for a Begin without its End: fee and sequence are gone, nothing else",
    codes: ["txBadSponsorship"],
  },
  {
    file: "Sponsoring",
    test: "Begin: MALFORMED for oneself, ALREADY_SPONSORED, RECURSIVE both ways",
    codes: [
      "beginSponsoringFutureReservesMalformed",
      "beginSponsoringFutureReservesAlreadySponsored",
      "beginSponsoringFutureReservesRecursive",
    ],
  },
  { file: "Sponsoring", test: "End: NOT_SPONSORED", codes: ["endSponsoringFutureReservesNotSponsored"] },
  { file: "RevokeSponsorship", test: "goes back to its owner", codes: ["revokeSponsorshipSuccess"] },
  {
    file: "RevokeSponsorship",
    test: "NOT_SPONSOR, DOES_NOT_EXIST, MALFORMED",
    codes: ["revokeSponsorshipDoesNotExist", "revokeSponsorshipNotSponsor", "revokeSponsorshipMalformed"],
  },
  {
    file: "RevokeSponsorship",
    test: "an account: two reserves, which it then has to have",
    codes: ["revokeSponsorshipLowReserve"],
  },
  {
    file: "RevokeSponsorship",
    test: "ONLY_TRANSFERABLE: a claimable balance always has a sponsor",
    codes: ["revokeSponsorshipOnlyTransferable"],
  },
  {
    file: "Validation",
    test: "minTime counts against the last close, maxTime against two intervals ahead",
    codes: ["txTooEarly", "txTooLate"],
  },
  { file: "Validation", test: "txMISSING_OPERATION", codes: ["txMissingOperation"] },
  { file: "Validation", test: "txBAD_SEQ for anything but the next number", codes: ["txBadSeq"] },
  {
    file: "Validation",
    test: "txINSUFFICIENT_BALANCE: the fee has to come from above the reserve",
    codes: ["txInsufficientBalance"],
  },
  { file: "Validation", test: "txNO_ACCOUNT", codes: ["txNoAccount"] },
  {
    file: "Validation",
    test: "txINSUFFICIENT_FEE states the minimum in feeCharged",
    codes: ["txInsufficientFee"],
  },
  {
    file: "Validation",
    test: "minSeqAge and minSeqLedgerGap: txBAD_MIN_SEQ_AGE_OR_GAP",
    codes: ["txBadMinSeqAgeOrGap"],
  },
  {
    file: "Validation",
    test: "Soroban resources on a classic transaction are txMALFORMED (protocol 21)",
    codes: ["txMalformed"],
  },
  {
    file: "Signatures",
    test: "a pre-authorised fee bump: the payer does not sign, and its signer is gone afterwards",
    codes: ["txFeeBumpInnerSuccess"],
  },
  {
    file: "Signatures",
    test: "none, a stranger's, or over something else: txBAD_AUTH",
    codes: ["txBadAuth"],
  },
  {
    file: "Signatures",
    test: "one too many: txBAD_AUTH_EXTRA, also for the same one twice",
    codes: ["txBadAuthExtra"],
  },
  {
    file: "Signatures",
    test: "an operation's own source has to sign as well: opBAD_AUTH, opNO_ACCOUNT",
    codes: ["opBadAuth", "opNoAccount"],
  },
  {
    file: "Queue",
    test: "an inner refusal is txFEE_BUMP_INNER_FAILED with the inner code",
    codes: ["txFeeBumpInnerFailed"],
  },
  {
    file: "ResultCodes",
    test: "two successes that the other tests see as the transaction's alone",
    codes: ["setOptionsSuccess", "changeTrustSuccess"],
  },
]
