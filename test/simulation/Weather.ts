/** What goes wrong beside the programs: the database, the nodes, the treasury, customers, and strangers. */
import { type Keypair, Operation, TransactionBuilder } from "@stellar/stellar-sdk"
import type { Network } from "../../layers/localnet/Network.ts"
import { asset, distribution, issuer, keypairOf, PASSPHRASE } from "../support/TestNetwork.ts"
import { GOOD } from "./Customers.ts"
import type { Database } from "./Database.ts"
import type { Fault, TimedFault } from "./Fault.ts"
import type { Nodes } from "./Nodes.ts"
import { type Stage, unitsOf } from "./Stage.ts"
import type { World } from "./World.ts"

interface WeatherOptions {
  readonly world: World
  readonly stage: Stage
  readonly database: Database
  readonly nodes: Nodes
}

const stranger = keypairOf("stranger")

/** Lets the next envelope that the stranger sees be followed by a fee bump of it. */
export const makeStranger = (network: Network) => {
  let curiosity = 0
  return {
    beCurious: (): void => {
      curiosity++
    },
    fund: (): void => {
      network.submit(network.friendbot(stranger.publicKey()))
    },
    /** The network's way in, past the stranger. */
    submit: (envelopeXdr: string): ReturnType<Network["submit"]> => {
      const answer = network.submit(envelopeXdr)
      if (curiosity === 0 || answer.status !== "PENDING") return answer
      const inner = TransactionBuilder.fromXDR(envelopeXdr, PASSPHRASE)
      if ("innerTransaction" in inner || inner.source === distribution.publicKey()) return answer
      curiosity--
      const bump = TransactionBuilder.buildFeeBumpTransaction(stranger, "1000000", inner, PASSPHRASE)
      bump.sign(stranger)
      network.submit(bump.toXDR())
      return answer
    },
  }
}

export type Stranger = ReturnType<typeof makeStranger>

const isTimed = (fault: Fault): fault is TimedFault => fault.kind !== "network" && !("on" in fault)

/** The line must be empty before it can go: what was on it goes back to the issuer. */
const giveUpLine = ({ balanceOf, submit }: Stage, holder: Keypair): void => {
  const balance = balanceOf(holder)
  if (balance === undefined) return
  const leave = Operation.changeTrust({ asset, limit: "0" })
  const away = () =>
    Operation.payment({
      destination: issuer.publicKey(),
      asset,
      amount: unitsOf(balance),
    })
  submit(holder, ...(balance > 0n ? [away()] : []), leave)
}

/** What the treasury keeps when it is drained, in stroops. */
const KEPT_STROOPS = 2_000_000n

export const makeWeather = ({ database, nodes, stage, world }: WeatherOptions, stranger: Stranger) => {
  let isOver = false
  /** How much was taken out of the treasury, to be brought back. */
  let drainedStroops = 0n
  let wasDrained = false

  const drain = (): void => {
    const balance = stage.balanceOf(distribution) ?? 0n
    if (balance <= KEPT_STROOPS) return
    const taken = balance - KEPT_STROOPS
    const payment = Operation.payment({
      destination: issuer.publicKey(),
      asset,
      amount: unitsOf(taken),
    })
    if (stage.submit(distribution, payment) !== "PENDING") return
    drainedStroops += taken
    wasDrained = true
  }
  /** What the treasury is still to get; one transaction of the issuer waits at a time. */
  let owedStroops = 0n
  const fill = (stroops: bigint): void => {
    owedStroops += stroops
    if (owedStroops === 0n) return
    const amount = unitsOf(owedStroops)
    const payment = Operation.payment({ destination: distribution.publicKey(), asset, amount })
    if (stage.submit(issuer, payment) === "PENDING") owedStroops = 0n
  }
  const bringBack = (): void => {
    fill(drainedStroops)
    drainedStroops = 0n
  }
  const makeLines = (): void => {
    for (const holder of GOOD) {
      if (stage.balanceOf(holder) === undefined) stage.submit(holder, Operation.changeTrust({ asset }))
    }
  }
  const begin = (fault: TimedFault): void | Promise<void> => {
    if (isOver) return
    world.say("fault", JSON.stringify(fault))
    switch (fault.kind) {
      case "database_away":
        return database.goAway(fault.forMs)
      case "nodes_differ":
        nodes.differ(fault.behindLedgers)
        world.after(fault.forMs, () => nodes.differ(0))
        return
      case "drain":
        drain()
        world.after(fault.forMs, bringBack)
        return
      case "line_gone": {
        const holder = GOOD[fault.wallet]
        if (holder === undefined) return
        giveUpLine(stage, holder)
        world.after(fault.forMs, makeLines)
        return
      }
      case "stranger_bumps":
        stranger.beCurious()
    }
  }
  return {
    forecast: (faults: ReadonlyArray<Fault>): void => {
      for (const fault of faults.filter(isTimed)) world.after(fault.afterMs, () => begin(fault))
    },
    clear: (): void => {
      isOver = true
      nodes.differ(0)
    },
    /** Called before each ledger once it is clear: what was broken is mended, and stays so. */
    mend: (): void => {
      bringBack()
      makeLines()
    },
    fill,
    /** Whether the ledger may say that the treasury does not suffice. */
    wasDrained: () => wasDrained,
  }
}
