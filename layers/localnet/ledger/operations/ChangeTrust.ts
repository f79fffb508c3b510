/** stellar-core src/transactions/ChangeTrustOpFrame.cpp. Pool shares need a DEX, which this network lacks. */
import { xdr } from "@stellar/stellar-sdk"
import { assetOf, issuerOf } from "../Codec.ts"
import {
  AccountFlag,
  type AccountState,
  TrustlineFlag,
  type TrustlineState,
  trustlineKey,
} from "../Entries.ts"
import {
  type ApplyContext,
  failed,
  NOT_SUPPORTED,
  type OperationRules,
  type Outcome,
  sponsorshipRefused,
  succeeded,
  Threshold,
} from "../Operations.ts"
import { createEntry, removeEntry } from "../Sponsorship.ts"

const answer = xdr.OperationResultTr.changeTrust
const SUCCESS = succeeded(answer(xdr.ChangeTrustResult.changeTrustSuccess()))
const MALFORMED = failed(answer(xdr.ChangeTrustResult.changeTrustMalformed()))
const NO_ISSUER = failed(answer(xdr.ChangeTrustResult.changeTrustNoIssuer()))
const INVALID_LIMIT = failed(answer(xdr.ChangeTrustResult.changeTrustInvalidLimit()))
const LOW_RESERVE = failed(answer(xdr.ChangeTrustResult.changeTrustLowReserve()))

const flagsOfNewLine = (issuer: AccountState): number =>
  ((issuer.flags & AccountFlag.required) === 0 ? TrustlineFlag.authorized : 0) |
  ((issuer.flags & AccountFlag.clawbackEnabled) === 0 ? 0 : TrustlineFlag.clawbackEnabled)

const change = (context: ApplyContext, line: TrustlineState, limit: bigint): Outcome => {
  const { state } = context
  if (limit < line.balance) return INVALID_LIMIT
  if (limit === 0n) {
    removeEntry(context, line)
    state.remove(trustlineKey(line.account, line.asset))
    return SUCCESS
  }
  if (state.account(issuerOf(line.asset)) === undefined) return NO_ISSUER
  state.put({ ...line, limit })
  return SUCCESS
}

export const changeTrust: OperationRules<xdr.ChangeTrustOp> = {
  threshold: () => Threshold.medium,
  check: ({ line, limit }, { source }) => {
    if (line.type === "assetTypePoolShare") return NOT_SUPPORTED
    const asset = assetOf(line)
    // The last: nobody trusts itself since protocol 16.
    const malformed = limit < 0n || asset === undefined || asset === "native" || issuerOf(asset) === source
    return malformed ? MALFORMED : undefined
  },
  apply: ({ line, limit }, { source }, context) => {
    const asset = assetOf(line)
    if (asset === undefined) return MALFORMED
    const known = context.state.trustline(source, asset)
    if (known !== undefined) return change(context, known, limit)
    if (limit === 0n) return INVALID_LIMIT
    const issuer = context.state.account(issuerOf(asset))
    if (issuer === undefined) return NO_ISSUER
    const created = createEntry(
      context,
      {
        kind: "trustline",
        account: source,
        asset,
        balance: 0n,
        limit,
        flags: flagsOfNewLine(issuer),
        sponsor: null,
        entryExtension: 0,
        lastModified: 0,
      },
      source,
    )
    return created === "success" ? SUCCESS : sponsorshipRefused(created, LOW_RESERVE)
  },
}
