import type { xdr } from "@stellar/stellar-sdk"
import type { AppliedTransaction } from "../Network.ts"
import { type AccountRef, type EnvelopeView, envelopeView } from "./EnvelopeView.ts"
import { transactionToid } from "./History.ts"
import { type Links, timeText } from "./Render.ts"
import { signerName } from "./SignerKeys.ts"

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")

const memoFields = (memo: xdr.Memo) => {
  switch (memo.type) {
    case "memoNone":
      return { memo_type: "none" }
    case "memoText":
      return { memo_type: "text", memo: memo.text.toString(), memo_bytes: base64(memo.text.bytes) }
    case "memoId":
      return { memo_type: "id", memo: memo.id.toString() }
    case "memoHash":
      return { memo_type: "hash", memo: base64(memo.hash.toBytes()) }
    case "memoReturn":
      return { memo_type: "return", memo: base64(memo.retHash.toBytes()) }
  }
}

/** An upper bound of 0 means none, and is left out. */
const timeBounds = (bounds: xdr.TimeBounds) => ({
  timebounds: {
    min_time: bounds.minTime.toString(),
    ...(bounds.maxTime === 0n ? {} : { max_time: bounds.maxTime.toString() }),
  },
})

const preconditionsV2 = (v2: xdr.PreconditionsV2) => ({
  ...(v2.timeBounds === null ? {} : timeBounds(v2.timeBounds)),
  ...(v2.ledgerBounds === null
    ? {}
    : {
        ledgerbounds: {
          min_ledger: v2.ledgerBounds.minLedger,
          ...(v2.ledgerBounds.maxLedger === 0 ? {} : { max_ledger: v2.ledgerBounds.maxLedger }),
        },
      }),
  ...(v2.minSeqNum === null ? {} : { min_account_sequence: v2.minSeqNum.toString() }),
  ...(v2.minSeqAge === 0n ? {} : { min_account_sequence_age: v2.minSeqAge.toString() }),
  ...(v2.minSeqLedgerGap === 0 ? {} : { min_account_sequence_ledger_gap: v2.minSeqLedgerGap }),
  ...(v2.extraSigners.length === 0
    ? {}
    : { extra_signers: v2.extraSigners.map((signer) => signerName(signer).key) }),
})

const preconditionFields = (conditions: xdr.Preconditions | undefined) => {
  if (conditions === undefined || conditions.type === "precondNone") return {}
  const preconditions =
    conditions.type === "precondTime" ? timeBounds(conditions.timeBounds) : preconditionsV2(conditions.v2)
  return Object.keys(preconditions).length === 0 ? {} : { preconditions }
}

const sourceFields = (ref: AccountRef) => ({
  source_account: ref.address,
  ...(ref.muxed === undefined ? {} : { account_muxed: ref.muxed.address, account_muxed_id: ref.muxed.id }),
})

const feeFields = (ref: AccountRef) => ({
  fee_account: ref.address,
  ...(ref.muxed === undefined
    ? {}
    : { fee_account_muxed: ref.muxed.address, fee_account_muxed_id: ref.muxed.id }),
})

/** What a fee bump adds; looked up by its inner hash it shows the inner transaction's signatures. */
const bumpFields = (transaction: AppliedTransaction, view: EnvelopeView, shownHash: string) => {
  if (view.feeBump === undefined || transaction.innerHash === undefined) {
    return { signatures: view.signatures }
  }
  const inner = view.feeBump
  return {
    signatures: shownHash === transaction.hash ? view.signatures : inner.innerSignatures,
    fee_bump_transaction: { hash: transaction.hash, signatures: view.signatures },
    inner_transaction: {
      hash: transaction.innerHash,
      signatures: inner.innerSignatures,
      max_fee: inner.innerMaxFeeStroops.toString(),
    },
  }
}

const linkFields = (links: Links, transaction: AppliedTransaction, address: string, hash: string) => {
  const self = `/transactions/${hash}`
  const token = transactionToid(transaction)
  return {
    self: links.link(self),
    account: links.link(`/accounts/${address}`),
    ledger: links.link(`/ledgers/${transaction.ledger}`),
    operations: links.paged(`${self}/operations`),
    effects: links.paged(`${self}/effects`),
    precedes: links.link(`/transactions?order=asc&cursor=${token}`),
    succeeds: links.link(`/transactions?order=desc&cursor=${token}`),
    transaction: links.link(self),
  }
}

/**
 * Horizon's transaction resource (resourceadapter.PopulateTransaction).
 * @param hash under which it was asked for: its own, or a fee bump's inner one
 */
export const transactionResource = (
  links: Links,
  transaction: AppliedTransaction,
  hash: string = transaction.hash,
) => {
  const view = envelopeView(transaction.envelope)
  return {
    _links: linkFields(links, transaction, view.source.address, hash),
    id: hash,
    paging_token: transactionToid(transaction).toString(),
    successful: transaction.successful,
    hash,
    ledger: transaction.ledger,
    created_at: timeText(transaction.closeTime),
    ...sourceFields(view.source),
    source_account_sequence: view.sequence.toString(),
    ...feeFields(view.feeBump?.source ?? view.source),
    fee_charged: transaction.feeChargedStroops.toString(),
    max_fee: view.maxFeeStroops.toString(),
    operation_count: view.operations.length,
    envelope_xdr: transaction.envelopeXdr,
    result_xdr: transaction.resultXdr,
    result_meta_xdr: transaction.resultMetaXdr,
    fee_meta_xdr: transaction.feeMetaXdr,
    ...memoFields(view.memo),
    ...bumpFields(transaction, view, hash),
    ...preconditionFields(view.preconditions),
  }
}
