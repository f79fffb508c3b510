/** stellar-core src/transactions/CreateAccountOpFrame.cpp */
import { xdr } from "@stellar/stellar-sdk"
import { accountOf } from "../Codec.ts"
import { newAccount } from "../Entries.ts"
import { failed, type OperationRules, sponsorshipRefused, succeeded, Threshold } from "../Operations.ts"
import { availableBalance } from "../Reserves.ts"
import { createEntry, existing } from "../Sponsorship.ts"

const answer = xdr.OperationResultTr.createAccount
const SUCCESS = succeeded(answer(xdr.CreateAccountResult.createAccountSuccess()))
const MALFORMED = failed(answer(xdr.CreateAccountResult.createAccountMalformed()))
const UNDERFUNDED = failed(answer(xdr.CreateAccountResult.createAccountUnderfunded()))
const LOW_RESERVE = failed(answer(xdr.CreateAccountResult.createAccountLowReserve()))
const ALREADY_EXIST = failed(answer(xdr.CreateAccountResult.createAccountAlreadyExist()))

export const createAccount: OperationRules<xdr.CreateAccountOp> = {
  threshold: () => Threshold.medium,
  check: ({ destination, startingBalance }, { source }) =>
    // Zero is allowed since protocol 14: a sponsored account needs no balance of its own.
    startingBalance < 0n || accountOf(destination) === source ? MALFORMED : undefined,
  apply: ({ destination, startingBalance }, { source }, context) => {
    const { state, terms } = context
    const id = accountOf(destination)
    if (state.account(id) !== undefined) return ALREADY_EXIST
    const sequence = BigInt(terms.sequence) << 32n
    const created = createEntry(context, newAccount(id, startingBalance, sequence), id)
    if (created !== "success") return sponsorshipRefused(created, LOW_RESERVE)
    // Read after the sponsorship: the source may be the sponsor whose reserve has just grown.
    const payer = existing(state, source)
    if (availableBalance(payer, terms) < startingBalance) return UNDERFUNDED
    state.put({ ...payer, balance: payer.balance - startingBalance })
    return SUCCESS
  },
}
