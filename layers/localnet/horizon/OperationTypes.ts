import type { xdr } from "@stellar/stellar-sdk"

/** Number in the protocol (OperationType) and name in Horizon (protocols/horizon/operations TypeNames). */
export const operationTypes: Readonly<
  Record<xdr.OperationBody["type"], { readonly type: string; readonly type_i: number }>
> = {
  createAccount: { type: "create_account", type_i: 0 },
  payment: { type: "payment", type_i: 1 },
  pathPaymentStrictReceive: { type: "path_payment_strict_receive", type_i: 2 },
  manageSellOffer: { type: "manage_sell_offer", type_i: 3 },
  createPassiveSellOffer: { type: "create_passive_sell_offer", type_i: 4 },
  setOptions: { type: "set_options", type_i: 5 },
  changeTrust: { type: "change_trust", type_i: 6 },
  allowTrust: { type: "allow_trust", type_i: 7 },
  accountMerge: { type: "account_merge", type_i: 8 },
  inflation: { type: "inflation", type_i: 9 },
  manageData: { type: "manage_data", type_i: 10 },
  bumpSequence: { type: "bump_sequence", type_i: 11 },
  manageBuyOffer: { type: "manage_buy_offer", type_i: 12 },
  pathPaymentStrictSend: { type: "path_payment_strict_send", type_i: 13 },
  createClaimableBalance: { type: "create_claimable_balance", type_i: 14 },
  claimClaimableBalance: { type: "claim_claimable_balance", type_i: 15 },
  beginSponsoringFutureReserves: { type: "begin_sponsoring_future_reserves", type_i: 16 },
  endSponsoringFutureReserves: { type: "end_sponsoring_future_reserves", type_i: 17 },
  revokeSponsorship: { type: "revoke_sponsorship", type_i: 18 },
  clawback: { type: "clawback", type_i: 19 },
  clawbackClaimableBalance: { type: "clawback_claimable_balance", type_i: 20 },
  setTrustLineFlags: { type: "set_trust_line_flags", type_i: 21 },
  liquidityPoolDeposit: { type: "liquidity_pool_deposit", type_i: 22 },
  liquidityPoolWithdraw: { type: "liquidity_pool_withdraw", type_i: 23 },
  invokeHostFunction: { type: "invoke_host_function", type_i: 24 },
  extendFootprintTtl: { type: "extend_footprint_ttl", type_i: 25 },
  restoreFootprint: { type: "restore_footprint", type_i: 26 },
}

/** What `/payments` lists (history.OperationsQ.OnlyPayments), of the operations that can occur here. */
const payments: ReadonlySet<xdr.OperationBody["type"]> = new Set([
  "createAccount",
  "payment",
  "pathPaymentStrictReceive",
  "pathPaymentStrictSend",
  "accountMerge",
])

export const isPayment = (body: xdr.OperationBody): boolean => payments.has(body.type)
