/**
 * The memo of a batch: a hash that commits to which issuances a transaction pays, to whom and how much, so that a
 * payment found on the ledger can be matched to rows even when the database lost the envelope.
 *
 * SHA-256 over the line "nova-batch-v1" and, for each payment in operation order, one line
 * "<issuance id> <G address> <stroops>", each ended by a line feed.
 */
import { createHash } from "node:crypto"
import type { BatchPayment } from "./BatchPayment.ts"

export const batchMemo = (payments: ReadonlyArray<BatchPayment>): Uint8Array => {
  const hash = createHash("sha256").update("nova-batch-v1\n")
  for (const { issuanceId, walletAddress, amountStroops } of payments) {
    hash.update(`${issuanceId} ${walletAddress} ${amountStroops}\n`)
  }
  return new Uint8Array(hash.digest())
}
