import type { AppliedTransaction, ClosedLedger, Network } from "../Network.ts"
import { nonEmptyLedgers } from "./NonEmptyLedgers.ts"
import type { Order } from "./Page.ts"
import { parseToid, toid } from "./Toid.ts"

/** Which transactions a history collection is about. */
export type Scope =
  | { readonly kind: "all" }
  | { readonly kind: "ledger"; readonly sequence: number }
  | { readonly kind: "account"; readonly address: string }
  | { readonly kind: "transaction"; readonly transaction: AppliedTransaction }

export const transactionToid = (transaction: AppliedTransaction): bigint =>
  toid(transaction.ledger, transaction.applicationOrder)

/** Closed ledgers whose ids lie strictly beyond `after` in the direction of `order`. */
export function* ledgersBeyond(network: Network, order: Order, after: bigint): Generator<ClosedLedger> {
  const latest = network.latest().sequence
  const oldest = network.oldestLedger()
  const edge = parseToid(after).ledger
  const step = order === "asc" ? 1 : -1
  const start = order === "asc" ? Math.max(oldest, edge) : Math.min(latest, edge)
  for (let sequence = start; sequence >= oldest && sequence <= latest; sequence += step) {
    const ledger = network.ledger(sequence)
    if (ledger === undefined) continue
    const id = toid(sequence)
    if (order === "asc" ? id > after : id < after) yield ledger
  }
}

function* inDirection<A>(items: ReadonlyArray<A>, order: Order): Generator<A> {
  if (order === "asc") {
    yield* items
    return
  }
  for (let index = items.length - 1; index >= 0; index--) yield items[index] as A
}

/** Index of the first of ascending transactions that lies in or after the ledger. */
const firstAtLedger = (transactions: ReadonlyArray<AppliedTransaction>, ledger: number): number => {
  let low = 0
  let high = transactions.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((transactions[middle]?.ledger ?? 0) < ledger) low = middle + 1
    else high = middle
  }
  return low
}

/** Ledger by ledger, so that a page deep in the history does not walk all of it. */
function* allTransactions(network: Network, order: Order, after: bigint): Generator<AppliedTransaction> {
  for (const sequence of nonEmptyLedgers(network, order, parseToid(after).ledger)) {
    yield* inDirection(network.ledger(sequence)?.transactions ?? [], order)
  }
}

const accountTransactions = (network: Network, address: string, order: Order, after: bigint) => {
  const edge = parseToid(after).ledger
  const oldest = network.oldestLedger()
  const all = network.transactionsOf(address)
  const readable = all.slice(firstAtLedger(all, oldest))
  const near =
    order === "asc"
      ? readable.slice(firstAtLedger(readable, edge))
      : readable.slice(0, firstAtLedger(readable, edge + 1))
  return inDirection(near, order)
}

/**
 * Transactions of the scope from the ledger of `after` on, in the direction of `order`; the caller drops
 * what lies on the wrong side of `after` within that ledger.
 */
export const transactionsNear = (
  network: Network,
  scope: Scope,
  order: Order,
  after: bigint,
): Iterable<AppliedTransaction> => {
  switch (scope.kind) {
    case "all":
      return allTransactions(network, order, after)
    case "ledger":
      return inDirection(network.ledger(scope.sequence)?.transactions ?? [], order)
    case "account":
      return accountTransactions(network, scope.address, order, after)
    case "transaction":
      return [scope.transaction]
  }
}

export const isBeyond = (id: bigint, order: Order, after: bigint): boolean =>
  order === "asc" ? id > after : id < after
