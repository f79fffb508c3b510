/**
 * The merchants: they issue rewards through the APIs, repeat what was not answered and sometimes what was, use a key
 * twice for different things, look at what they have, take rewards back, and pause their campaigns.
 */
import { Cause, Effect, Exit } from "effect"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import type { Owner } from "../../src/merchant/Owner.ts"
import { chanceOf } from "./Chance.ts"
import { APIS } from "./DrawFaults.ts"
import { keyOf, type Order, type Orders } from "./Orders.ts"
import type { Programs } from "./Programs.ts"
import type { RealSessions } from "./RealSessions.ts"
import { customers } from "./Stage.ts"
import type { World } from "./World.ts"

export interface Campaign {
  readonly id: string
  readonly owner: Owner
  readonly budgetStroops: bigint
  readonly onMissingTrustline: "fail" | "hold" | "claimable_balance"
  readonly walletCapStroops: bigint | null
}

const merchant = (letter: string): Owner => ({
  merchantId: `mer_${letter.repeat(26)}`,
  mode: "test",
})
const OWNERS = [merchant("1"), merchant("2")] as const

const campaign = (
  letter: string,
  owner: Owner,
  onMissingTrustline: Campaign["onMissingTrustline"],
  budgetStroops: bigint,
  walletCapStroops: bigint | null = null,
): Campaign => ({
  id: `cmp_${letter.repeat(26)}`,
  owner,
  onMissingTrustline,
  budgetStroops,
  walletCapStroops,
})

/** One of each policy; one whose budget runs out, and one with a cap for each wallet. */
export const CAMPAIGNS = [
  campaign("1", OWNERS[0], "fail", 1_000_0000000n),
  campaign("2", OWNERS[0], "claimable_balance", 1_000_0000000n),
  campaign("3", OWNERS[1], "hold", 1_000_0000000n),
  campaign("4", OWNERS[1], "hold", 4_0000000n),
  campaign("5", OWNERS[1], "fail", 1_000_0000000n, 1_5000000n),
] as const

const ORDERS_MAX = 90

interface ShopOptions {
  readonly seed: number
  readonly world: World
  readonly programs: Programs
  readonly orders: Orders
  readonly untilMs: number
}

export const openShop = ({ orders, programs, seed, untilMs, world }: ShopOptions) => {
  const chance = chanceOf(seed, "shop")
  let unanswered = 0
  let counter = 0

  /** Asks one of the APIs; undefined where it gave no answer. */
  const ask = <A, E>(
    effect: Effect.Effect<A, E, Issuances | Campaigns>,
    answered: (exit: Exit.Exit<A, E> | undefined) => void,
  ): void => {
    const api = programs.api(chance.pick(APIS))
    if (api === undefined) {
      world.after(50, () => answered(undefined))
      return
    }
    let isOpen = true
    const close = (exit: Exit.Exit<A, E> | undefined): void => {
      if (!isOpen) return
      isOpen = false
      world.after(chance.below(20), () => answered(exit))
    }
    api.process.onEnd(() => close(undefined))
    // As the HTTP edge does it: a request that lasts too long is given up.
    const fiber = Effect.runForkWith(api.services)(effect)
    fiber.addObserver(close)
    world.after(chance.between(5_000, 30_000), () => {
      if (!isOpen) return
      close(undefined)
      if (api.process.isAlive() && api.process.frozenUntilMs() <= world.sinceBegin()) fiber.interruptUnsafe()
      api.process.fibers.drain()
    })
    api.process.fibers.drain()
  }

  const place = (order: Order, isAnsweredBefore: boolean): void => {
    if (!isAnsweredBefore) unanswered++
    const { owner, request } = order
    const attempt = Effect.flatMap(Issuances, (issuances) => issuances.issue(owner, request))
    ask(attempt, (exit) => {
      const refusal = exit !== undefined && Exit.isFailure(exit) ? refusalOf(exit.cause) : undefined
      if (exit === undefined || (Exit.isFailure(exit) && refusal === undefined)) {
        // Nobody knows what became of it: the same again, with the same key.
        order.isUncertain = true
        unanswered--
        world.say("merchant", `${nameOf(order)}: no answer, again`)
        unanswered++
        world.after(chance.between(200, 4_000), () => {
          unanswered--
          place(order, false)
        })
        return
      }
      unanswered--
      if (Exit.isSuccess(exit)) order.ids.add(exit.value.issuanceId)
      else if (refusal !== undefined) order.refusals.add(refusal)
      world.say(
        "merchant",
        `${nameOf(order)}: ${Exit.isSuccess(exit) ? (exit.value.accepted ? "accepted" : "known") : refusal}`,
      )
      if (chance.isTrue(0.12)) world.after(chance.below(8_000), () => place(order, false))
    })
  }

  const newOrder = (key = `order-${++counter}`): Order => {
    const { id, owner } = chance.pick(CAMPAIGNS)
    // The first customers more often; the amount is nobody else's.
    const to = chance.isTrue(0.75) ? chance.below(5) : chance.below(customers.length)
    const amountStroops = BigInt(chance.between(1, 9)) * 100_0000n + BigInt(orders.all.length + 1)
    return orders.add(owner, {
      idempotencyKey: key,
      walletAddress: customers[to] ?? "",
      amountStroops,
      campaignId: id,
      userId: chance.isTrue(0.3) ? `user-${chance.below(3)}` : undefined,
      priority: chance.isTrue(0.2) ? chance.pick(["high", "low"] as const) : undefined,
    })
  }

  const buy = (): void => {
    if (orders.all.length >= ORDERS_MAX) return
    const order = newOrder()
    place(order, false)
    if (chance.isTrue(0.12)) place(order, false)
    // The same key for something else: one of the two is refused.
    if (chance.isTrue(0.06)) place(newOrder(order.request.idempotencyKey), false)
  }

  const anOrder = (): Order | undefined => orders.all[chance.below(Math.max(1, orders.all.length))]

  const change = (): void => {
    const order = anOrder()
    const id = order && [...order.ids][0]
    if (order === undefined || id === undefined) return
    const isCancel = chance.isTrue(0.5)
    const verb = isCancel ? "cancel" : "retry"
    world.say("merchant", `${verb} ${nameOf(order)}`)
    ask(
      Effect.flatMap(Issuances, (issuances) => issuances[verb](order.owner, id)),
      (exit) => {
        if (exit === undefined || Exit.isFailure(exit)) return
        if (isCancel) order.isCancelled = true
        world.say("merchant", `${verb} ${nameOf(order)}: done`)
      },
    )
  }

  /** Whoever asks sees what is theirs, and nothing of anybody else's. */
  const look = (): void => {
    const order = anOrder()
    const id = order && [...order.ids][0]
    if (order === undefined || id === undefined) return
    const asker = chance.pick(OWNERS)
    const isTheirs = asker.merchantId === order.owner.merchantId
    ask(
      Effect.flatMap(Issuances, (issuances) => issuances.get(asker, id)),
      (exit) => {
        if (exit === undefined) return
        if (Exit.isSuccess(exit) && !isTheirs) world.violate(`I7: ${asker.merchantId} sees ${id}`)
        if (Exit.isFailure(exit) && isTheirs && refusalOf(exit.cause) !== undefined)
          world.violate(`I3: ${id} was accepted and is not there`)
      },
    )
    ask(
      Effect.flatMap(Issuances, (issuances) =>
        issuances.list(asker, {}, { limit: 20, startingAfter: undefined, endingBefore: undefined }),
      ),
      (exit) => {
        if (exit === undefined || Exit.isFailure(exit)) return
        const strangers = exit.value.data.filter(
          (one) => !CAMPAIGNS.some(({ id, owner }) => id === one.campaignId && owner === asker),
        )
        if (strangers.length > 0) world.violate(`I7: ${asker.merchantId} lists ${strangers[0]?.id}`)
      },
    )
  }

  /** Once: where there is no answer, it may have been done. */
  const setStatus = (id: string, owner: Owner, status: "active" | "paused"): void => {
    world.say("merchant", `campaign ${id.slice(0, 6)} ${status}`)
    ask(
      Effect.flatMap(Campaigns, (campaigns) => campaigns.change(owner, id, { status })),
      () => undefined,
    )
  }

  const pauseOne = (): void => {
    const { id, owner } = chance.pick(CAMPAIGNS)
    setStatus(id, owner, "paused")
    world.after(chance.between(4_000, 30_000), () => setStatus(id, owner, "active"))
  }

  const repeat = (everyMs: number, act: () => void): void => {
    const again = (): void => {
      if (world.sinceBegin() >= untilMs) return
      act()
      world.after(chance.between(everyMs / 4, everyMs * 2), again)
    }
    world.after(chance.below(everyMs), again)
  }

  repeat(2_000, buy)
  // Many at once, as a campaign begins.
  repeat(40_000, () => {
    for (let index = chance.between(3, 12); index > 0; index--) buy()
  })
  repeat(9_000, change)
  repeat(12_000, look)
  repeat(60_000, pauseOne)
  return {
    isQuiet: () => unanswered === 0,
    /** No campaign stays paused. */
    resumeAll: async (real: RealSessions): Promise<void> => {
      const paused = await real.query("SELECT id FROM campaigns WHERE status = 'paused' ORDER BY id")
      for (const { id } of paused) {
        const found = CAMPAIGNS.find((one) => one.id === id)
        if (found !== undefined) setStatus(found.id, found.owner, "active")
      }
    },
  }
}

const nameOf = (order: Order): string =>
  `${keyOf(order).slice(4, 5)}/${order.request.idempotencyKey} ${order.request.amountStroops}`

/** The code of an answer that is one; undefined where the program failed. */
const refusalOf = (cause: Cause.Cause<unknown>): string | undefined => {
  const [reason] = cause.reasons
  if (reason === undefined || !Cause.isFailReason(reason)) return undefined
  const { error } = reason
  return typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : undefined
}
