/**
 * What the merchants of a run do: they order rewards, look at what they have, take rewards back or have them tried
 * again, and pause their campaigns.
 */
import { Effect } from "effect"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import type { Owner } from "../../src/merchant/Owner.ts"
import { answerOf, makeAsk } from "./Asking.ts"
import { chanceOf } from "./Chance.ts"
import { CAMPAIGNS, OWNERS } from "./Merchants.ts"
import { makeOrdering } from "./Ordering.ts"
import { nameOf, type Order, type Orders } from "./Orders.ts"
import type { Programs } from "./Programs.ts"
import type { RealSessions } from "./RealSessions.ts"
import type { World } from "./World.ts"

const PAGE = { limit: 20, startingAfter: undefined, endingBefore: undefined }

interface ShopOptions {
  readonly seed: number
  readonly world: World
  readonly programs: Programs
  readonly orders: Orders
  readonly untilMs: number
}

export const openShop = ({ orders, programs, seed, untilMs, world }: ShopOptions) => {
  const chance = chanceOf(seed, "shop")
  const ask = makeAsk(world, programs, chance)
  const { buy, buyMany, isQuiet } = makeOrdering(world, chance, orders, ask)

  /** One that was accepted, with its id. */
  const anAccepted = (): readonly [Order, string] | undefined => {
    const order = orders.all[chance.below(Math.max(1, orders.all.length))]
    const [id] = order?.ids ?? []
    return order === undefined || id === undefined ? undefined : [order, id]
  }

  const change = (order: Order, id: string): void => {
    const verb = chance.isTrue(0.5) ? "cancel" : "retry"
    world.say("merchant", `${verb} ${nameOf(order)}`)
    if (verb === "cancel") order.wasCancelAsked = true
    const changed = Effect.flatMap(Issuances, (issuances) => issuances[verb](order.owner, id))
    ask(changed, (exit) => {
      const answer = answerOf(exit)
      if (answer === undefined || "refusal" in answer) return
      if (verb === "cancel") order.isCancelled = true
      world.say("merchant", `${verb} ${nameOf(order)}: done`)
    })
  }

  const changeAny = (): void => {
    const [order, id] = anAccepted() ?? []
    if (order !== undefined && id !== undefined) change(order, id)
  }

  /** Most who change something have looked for what is held. */
  const changeHeld = (): void => {
    const owner = chance.pick(OWNERS)
    const held = Effect.flatMap(Issuances, (issuances) => issuances.list(owner, { status: "held" }, PAGE))
    ask(held, (exit) => {
      const answer = answerOf(exit)
      if (answer === undefined || "refusal" in answer) return
      const { data } = answer.success
      const found = data[chance.below(Math.max(1, data.length))]
      const order = found === undefined ? undefined : orders.ofAmount(found.amountStroops)
      if (found !== undefined && order !== undefined) change(order, found.id)
    })
  }

  /** Whoever asks sees what is theirs, and nothing of anybody else's. */
  const look = (): void => {
    const [order, id] = anAccepted() ?? []
    if (order === undefined || id === undefined) return
    const asker = chance.pick(OWNERS)
    const isTheirs = asker === order.owner
    const one = Effect.flatMap(Issuances, (issuances) => issuances.get(asker, id))
    ask(one, (exit) => {
      const answer = answerOf(exit)
      if (answer === undefined) return
      if ("success" in answer && !isTheirs) world.violate(`I7: ${asker.merchantId} sees ${id}`)
      if ("refusal" in answer && isTheirs) world.violate(`I3: ${id} was accepted and is not there`)
    })
    const all = Effect.flatMap(Issuances, (issuances) => issuances.list(asker, {}, PAGE))
    ask(all, (exit) => {
      const answer = answerOf(exit)
      if (answer === undefined || "refusal" in answer) return
      const theirs = new Set<string>(CAMPAIGNS.filter(({ owner }) => owner === asker).map((each) => each.id))
      const stranger = answer.success.data.find(({ campaignId }) => !theirs.has(campaignId))
      if (stranger !== undefined) world.violate(`I7: ${asker.merchantId} lists ${stranger.id}`)
    })
  }

  /** Once: where there is no answer, it may have been done. */
  const setStatus = (id: string, owner: Owner, status: "active" | "paused"): void => {
    world.say("merchant", `campaign ${id.slice(0, 6)} ${status}`)
    const changed = Effect.flatMap(Campaigns, (campaigns) => campaigns.change(owner, id, { status }))
    ask(changed, () => undefined)
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
  // As a campaign begins.
  repeat(30_000, buyMany)
  // Some change their minds all the time.
  const isFickle = chance.isTrue(0.3)
  repeat(isFickle ? 3_000 : 18_000, changeAny)
  repeat(isFickle ? 1_500 : 9_000, changeHeld)
  repeat(12_000, look)
  repeat(60_000, pauseOne)
  return {
    isQuiet,
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
