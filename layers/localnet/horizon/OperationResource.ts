import { xdr } from "@stellar/stellar-sdk"
import type { AppliedTransaction } from "../Network.ts"
import { sponsorOf } from "./AccountExtensions.ts"
import { accountRef, envelopeView } from "./EnvelopeView.ts"
import { operationDetails } from "./OperationDetails.ts"
import { beginSponsor, operationParticipants, type SourcedOperation } from "./OperationParticipants.ts"
import { isPayment, operationTypes } from "./OperationTypes.ts"
import { type Links, timeText } from "./Render.ts"
import { toid } from "./Toid.ts"
import { transactionResource } from "./TransactionResource.ts"

/** One operation of an applied transaction, with everything needed to list and to show it. */
export interface AppliedOperation {
  readonly id: bigint
  readonly transaction: AppliedTransaction
  readonly operations: ReadonlyArray<SourcedOperation>
  /** 0-based position in the transaction. */
  readonly index: number
}

export const operationsOf = (transaction: AppliedTransaction): ReadonlyArray<AppliedOperation> => {
  const view = envelopeView(transaction.envelope)
  const operations = view.operations.map((operation) => ({
    body: operation.body,
    source: operation.sourceAccount === null ? view.source : accountRef(operation.sourceAccount),
  }))
  return operations.map((_, index) => ({
    id: toid(transaction.ledger, transaction.applicationOrder, index + 1),
    transaction,
    operations,
    index,
  }))
}

export const isPaymentOperation = ({ operations, index }: AppliedOperation): boolean => {
  const body = operations[index]?.body
  return body !== undefined && isPayment(body)
}

export const involves = (operation: AppliedOperation, address: string): boolean =>
  operationParticipants(operation.operations, operation.index).includes(address)

const changesOf = (transaction: AppliedTransaction, index: number): ReadonlyArray<xdr.LedgerEntryChange> => {
  const meta = xdr.TransactionMeta.fromXdr(transaction.resultMetaXdr, "base64")
  switch (meta.type) {
    case "v1":
    case "v2":
    case "v3":
    case "v4":
      return meta.value.operations[index]?.changes ?? []
    default:
      return []
  }
}

/**
 * Who pays the reserve of what the operation created. Only a transaction that opens a sponsorship can have
 * one, so that the meta of all others stays unread.
 */
const sponsorField = ({ transaction, operations, index }: AppliedOperation) => {
  const opens = operations.some(({ body }) => body.type === "beginSponsoringFutureReserves")
  if (!opens || !transaction.successful) return {}
  for (const change of changesOf(transaction, index)) {
    if (change.type !== "ledgerEntryCreated") continue
    const sponsor = sponsorOf(change.created)
    if (sponsor !== undefined) return { sponsor }
  }
  return {}
}

const closedSponsorship = ({ operations, index }: AppliedOperation) => {
  if (operations[index]?.body.type !== "endSponsoringFutureReserves") return {}
  const sponsor = beginSponsor(operations, index)
  if (sponsor === undefined) return {}
  const muxed = sponsor.muxed
  return {
    begin_sponsor: sponsor.address,
    ...(muxed === undefined ? {} : { begin_sponsor_muxed: muxed.address, begin_sponsor_muxed_id: muxed.id }),
  }
}

const linkFields = (links: Links, id: bigint, transactionHash: string) => ({
  self: links.link(`/operations/${id}`),
  transaction: links.link(`/transactions/${transactionHash}`),
  effects: links.link(`/operations/${id}/effects`),
  succeeds: links.link(`/effects?order=desc&cursor=${id}`),
  precedes: links.link(`/effects?order=asc&cursor=${id}`),
})

/**
 * Horizon's operation resource (resourceadapter.NewOperation).
 * @param withTransaction embeds the transaction resource (`join=transactions`)
 */
export const operationResource = (links: Links, applied: AppliedOperation, withTransaction: boolean) => {
  const { id, transaction, operations, index } = applied
  const operation = operations[index]
  if (operation === undefined) throw new Error(`transaction ${transaction.hash} has no operation ${index}`)
  const { body, source } = operation
  const muxed = source.muxed
  return {
    _links: linkFields(links, id, transaction.hash),
    id: id.toString(),
    paging_token: id.toString(),
    transaction_successful: transaction.successful,
    source_account: source.address,
    ...(muxed === undefined
      ? {}
      : { source_account_muxed: muxed.address, source_account_muxed_id: muxed.id }),
    ...operationTypes[body.type],
    created_at: timeText(transaction.closeTime),
    transaction_hash: transaction.hash,
    ...(withTransaction ? { transaction: transactionResource(links, transaction) } : {}),
    ...sponsorField(applied),
    ...operationDetails(body, source),
    ...closedSponsorship(applied),
  }
}
