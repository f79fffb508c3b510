/**
 * What the merchants of a run have asked for and what they were told: the memory that everything is held against in
 * the end. Each order has an amount of its own, so that the ledger's payments can be told apart without the database.
 */
import type { IssueRequest } from "../../src/issuance/IssueRequest.ts"
import type { Owner } from "../../src/merchant/Owner.ts"

export interface Order {
  readonly owner: Owner
  readonly request: IssueRequest
  /** Answers that said it is accepted, or was: the ids that they named. */
  readonly ids: Set<string>
  /** Codes of the refusals. */
  readonly refusals: Set<string>
  /** A request had no answer: it may still be on its way, and be accepted after another one was refused. */
  isUncertain: boolean
  /** The merchant was told that it is cancelled. */
  isCancelled: boolean
  /** The merchant asked for it; perhaps nobody heard. */
  wasCancelAsked: boolean
}

/** A key belongs to its owner. */
export const keyOf = ({ owner, request }: Pick<Order, "owner" | "request">): string =>
  `${owner.merchantId} ${request.idempotencyKey}`

export const makeOrders = () => {
  const byAmount = new Map<bigint, Order>()
  const byKey = new Map<string, Array<Order>>()
  const all: Array<Order> = []
  return {
    all,
    byKey,
    add: (owner: Owner, request: IssueRequest): Order => {
      const order: Order = {
        owner,
        request,
        ids: new Set(),
        refusals: new Set(),
        isCancelled: false,
        wasCancelAsked: false,
        isUncertain: false,
      }
      const same = byKey.get(keyOf(order)) ?? []
      byKey.set(keyOf(order), [...same, order])
      byAmount.set(request.amountStroops, order)
      all.push(order)
      return order
    },
    ofAmount: (stroops: bigint): Order | undefined => byAmount.get(stroops),
  }
}

export type Orders = ReturnType<typeof makeOrders>

/** "1/order-7 3000008": the merchant's digit, the key, and the amount. */
export const nameOf = ({ owner, request }: Order): string =>
  `${owner.merchantId.slice(4, 5)}/${request.idempotencyKey} ${request.amountStroops}`
