/** What the customers of a run do: one makes a trustline after all, and now and then one takes what was left for it. */
import { Operation } from "@stellar/stellar-sdk"
import { asset } from "../support/TestNetwork.ts"
import { chanceOf } from "./Chance.ts"
import { type Customer, customers, type Fortunes, LINELESS } from "./Customers.ts"
import type { LedgerBook } from "./LedgerBook.ts"
import type { Stage } from "./Stage.ts"
import type { World } from "./World.ts"

interface CustomersOptions {
  readonly seed: number
  readonly world: World
  readonly stage: Stage
  readonly book: LedgerBook
  readonly fortunes: Fortunes
  /** Of the phase with faults, in ms since the world began. */
  readonly untilMs: number
}

/** How often one looks for what was left, at most. */
const LOOK_MS = 12_000

/** After faults customers go on for so long: a balance is taken back by then, or by them. */
const AFTERWARDS_MS = 60_000

export const openCustomers = ({ book, fortunes, seed, stage, untilMs, world }: CustomersOptions): void => {
  const chance = chanceOf(seed, "customers")

  const take = ({ address, keys }: Customer): void => {
    const left = [...book.balances.values()].find(
      ({ takenBy, to }) => to === address && takenBy === undefined,
    )
    if (left === undefined || stage.balanceOf(keys) === undefined) return
    const status = stage.submit(keys, Operation.claimClaimableBalance({ balanceId: left.balanceId }))
    world.say("customer", `takes what was left, ${left.stroops}: ${status}`)
  }

  const look = (): void => {
    if (world.sinceBegin() >= untilMs + AFTERWARDS_MS) return
    const [first, ...others] = customers.filter(({ kind }) => kind === "good" || kind === "lineless")
    if (first !== undefined) take(chance.pick([first, ...others]))
    world.after(chance.between(500, LOOK_MS), look)
  }

  /** Again until the ledger has it: what is handed in may be dropped on the way. */
  const join = (): void => {
    if (stage.balanceOf(LINELESS) !== undefined) return
    const status = stage.submit(LINELESS, Operation.changeTrust({ asset }))
    world.say("customer", `the one without a trustline makes one: ${status}`)
    world.after(12_000, join)
  }

  if (fortunes.linelessJoins) world.after(chance.below(untilMs), join)
  world.after(chance.below(LOOK_MS), look)
}
