/** What one operation of a batch's transaction pays, and for which issuance. */
export interface BatchPayment {
  readonly issuanceId: string
  readonly walletAddress: string
  readonly amountStroops: bigint
}
