/** stellar-core src/transactions/BumpSequenceOpFrame.cpp */
import { xdr } from "@stellar/stellar-sdk"
import { failed, type OperationRules, succeeded, Threshold } from "../Operations.ts"
import { existing, withSequenceTime } from "../Sponsorship.ts"

const answer = xdr.OperationResultTr.bumpSequence
const SUCCESS = succeeded(answer(xdr.BumpSequenceResult.bumpSequenceSuccess()))
const BAD_SEQ = failed(answer(xdr.BumpSequenceResult.bumpSequenceBadSeq()))

export const bumpSequence: OperationRules<xdr.BumpSequenceOp> = {
  threshold: () => Threshold.low,
  check: ({ bumpTo }) => (bumpTo < 0n ? BAD_SEQ : undefined),
  apply: ({ bumpTo }, { source }, { state, terms }) => {
    // Since protocol 19 the time is noted even when the sequence stays; going back is no error.
    const account = withSequenceTime(existing(state, source), terms)
    state.put(bumpTo > account.sequence ? { ...account, sequence: bumpTo } : account)
    return SUCCESS
  },
}
