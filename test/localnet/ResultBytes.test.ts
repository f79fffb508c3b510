/** Results written without the SDK, held against the SDK's codec. */
import { expect, test } from "bun:test"
import { Asset, Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { frameOf } from "../../layers/localnet/ledger/Frame.ts"
import { transactionResult, transactionResultBytes } from "../../layers/localnet/ledger/Results.ts"
import { buildOn, newKeys, openTestNetwork } from "./TestNetwork.ts"

const payment = xdr.OperationResult.opInner(xdr.OperationResultTr.payment(xdr.PaymentResult.paymentNoTrust()))
const merge = xdr.OperationResult.opInner(
  xdr.OperationResultTr.accountMerge(xdr.AccountMergeResult.accountMergeSuccess(12_345n)),
)
const results = [payment, merge, xdr.OperationResult.opBadAuth(), payment]

test("plain transactions, applied, failed or refused, with results that repeat and that carry a value", () => {
  const { network } = openTestNetwork()
  const pay = Operation.payment({
    destination: Keypair.random().publicKey(),
    asset: Asset.native(),
    amount: "1",
  })
  const { envelopeXdr } = buildOn(network, newKeys(), [pay])
  const frame = frameOf(Buffer.from(envelopeXdr, "base64"), new Uint8Array(32))
  for (const code of ["txSuccess", "txFailed", "txBadSeq"] as const) {
    for (const operations of [results, []]) {
      const verdict = { code, outer: false, feeCharged: 400n, operations }
      const expected = transactionResult(frame, verdict).toXdr("hex")
      expect(transactionResultBytes(frame, verdict).toHex()).toBe(expected)
    }
  }
})
