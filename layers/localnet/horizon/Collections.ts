import type { Network } from "../Network.ts"
import { isBeyond, ledgersBeyond, type Scope, transactionsNear, transactionToid } from "./History.ts"
import { ledgerResource } from "./LedgerResource.ts"
import { involves, isPaymentOperation, operationResource, operationsOf } from "./OperationResource.ts"
import type { PageQuery } from "./Page.ts"
import type { Links } from "./Render.ts"
import { transactionResource } from "./TransactionResource.ts"

export interface HistoryRecord {
  readonly paging_token: string
}

/** Records beyond `page.after` in the direction of its order, `page.limit` at most. */
export type Collection = (page: PageQuery) => ReadonlyArray<HistoryRecord>

export const ledgerCollection =
  (network: Network, links: Links): Collection =>
  (page) => {
    const found: Array<HistoryRecord> = []
    for (const ledger of ledgersBeyond(network, page.order, page.after)) {
      if (found.push(ledgerResource(links, ledger)) >= page.limit) break
    }
    return found
  }

export const transactionCollection =
  (network: Network, links: Links, scope: Scope, includeFailed: boolean): Collection =>
  (page) => {
    const found: Array<HistoryRecord> = []
    for (const transaction of transactionsNear(network, scope, page.order, page.after)) {
      if (!transaction.successful && !includeFailed) continue
      if (!isBeyond(transactionToid(transaction), page.order, page.after)) continue
      if (found.push(transactionResource(links, transaction)) >= page.limit) break
    }
    return found
  }

export interface OperationFilter {
  readonly scope: Scope
  /** A single transaction's operations are listed even if it failed, as Horizon does. */
  readonly includeFailed: boolean
  readonly onlyPayments: boolean
  readonly withTransaction: boolean
}

export const operationCollection =
  (network: Network, links: Links, filter: OperationFilter): Collection =>
  (page) => {
    const { scope } = filter
    const found: Array<HistoryRecord> = []
    const includeFailed = filter.includeFailed || scope.kind === "transaction"
    for (const transaction of transactionsNear(network, scope, page.order, page.after)) {
      if (!transaction.successful && !includeFailed) continue
      const ascending = operationsOf(transaction)
      for (const operation of page.order === "asc" ? ascending : ascending.toReversed()) {
        if (!isBeyond(operation.id, page.order, page.after)) continue
        if (filter.onlyPayments && !isPaymentOperation(operation)) continue
        if (scope.kind === "account" && !involves(operation, scope.address)) continue
        found.push(operationResource(links, operation, filter.withTransaction))
        if (found.length >= page.limit) return found
      }
    }
    return found
  }
