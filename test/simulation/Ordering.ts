/**
 * Rewards are ordered one by one and in lists, with keys that are repeated: where there was no answer, where there was
 * one, at the same time, and for something else.
 */
import { Effect, type Exit } from "effect"
import type { Issued, IssueError } from "../../src/issuance/AcceptRewards.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import type { Owner } from "../../src/merchant/Owner.ts"
import { type Ask, answerOf } from "./Asking.ts"
import type { Chance } from "./Chance.ts"
import { customers } from "./Customers.ts"
import { CAMPAIGNS, OWNERS } from "./Merchants.ts"
import { nameOf, type Order, type Orders } from "./Orders.ts"
import type { World } from "./World.ts"

const ORDERS_MAX = 90

/** Rewards in one list at most. */
const LIST_MAX = 12

export const makeOrdering = (world: World, chance: Chance, orders: Orders, ask: Ask) => {
  /** Requests whose answer is still to come, or to be asked for again. */
  let unanswered = 0
  let counter = 0

  const hear = (order: Order, exit: Exit.Exit<Issued, IssueError> | undefined): void => {
    const answer = answerOf(exit)
    if (answer === undefined) {
      // Nobody knows what became of it: the same again, with the same key.
      order.isUncertain = true
      world.say("merchant", `${nameOf(order)}: no answer, again`)
      world.after(chance.between(200, 4_000), () => {
        unanswered--
        place(order)
      })
      return
    }
    unanswered--
    if ("refusal" in answer) {
      order.refusals.add(answer.refusal)
      world.say("merchant", `${nameOf(order)}: ${answer.refusal}`)
    } else {
      order.ids.add(answer.success.issuanceId)
      world.say("merchant", `${nameOf(order)}: ${answer.success.accepted ? "accepted" : "known"}`)
    }
    if (chance.isTrue(0.12)) world.after(chance.below(8_000), () => place(order))
  }

  const place = (order: Order): void => {
    unanswered++
    ask(
      Effect.flatMap(Issuances, (issuances) => issuances.issue(order.owner, order.request)),
      (exit) => hear(order, exit),
    )
  }

  const placeList = (owner: Owner, list: ReadonlyArray<Order>): void => {
    unanswered += list.length
    const requests = list.map(({ request }) => request)
    ask(
      Effect.flatMap(Issuances, (issuances) => issuances.issueAll(owner, requests)),
      (exit) => {
        const answer = answerOf(exit)
        const answers = answer !== undefined && "success" in answer ? answer.success : []
        for (const [index, order] of list.entries()) hear(order, answers[index])
      },
    )
  }

  const newOrder = (owner: Owner, key = `order-${++counter}`): Order => {
    const [first, ...others] = CAMPAIGNS.filter((one) => one.owner === owner)
    const campaign = first === undefined ? CAMPAIGNS[0] : chance.pick([first, ...others])
    // The first customers more often; the amount is nobody else's.
    const to = chance.isTrue(0.75) ? chance.below(5) : chance.below(customers.length)
    const amountStroops = BigInt(chance.between(1, 9)) * 100_0000n + BigInt(orders.all.length + 1)
    return orders.add(owner, {
      idempotencyKey: key,
      walletAddress: customers[to]?.address ?? "",
      amountStroops,
      campaignId: campaign.id,
      userId: chance.isTrue(0.3) ? `user-${chance.below(3)}` : undefined,
      priority: chance.isTrue(0.2) ? chance.pick(["high", "low"] as const) : undefined,
    })
  }

  const isEnough = (): boolean => orders.all.length >= ORDERS_MAX

  const buy = (): void => {
    if (isEnough()) return
    const order = newOrder(chance.pick(OWNERS))
    place(order)
    if (chance.isTrue(0.12)) place(order)
    // The same key for something else: one of the two is refused.
    if (chance.isTrue(0.08)) place(newOrder(order.owner, order.request.idempotencyKey))
  }

  const buyMany = (): void => {
    const count = chance.between(3, LIST_MAX)
    if (isEnough()) return
    if (chance.isTrue(0.5)) {
      for (let index = 0; index < count; index++) buy()
      return
    }
    const owner = chance.pick(OWNERS)
    const list = Array.from({ length: count }, () => newOrder(owner))
    const [first] = list
    placeList(owner, chance.isTrue(0.3) && first !== undefined ? [...list, first] : list)
  }

  return { buy, buyMany, isQuiet: () => unanswered === 0 }
}
