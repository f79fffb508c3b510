/** The surge profile from a seed: who bids little waits or is refused, who bids more than the others never does. */
import { expect, test } from "bun:test"
import type { Keypair } from "@stellar/stellar-sdk"
import { FAULT_PROFILES } from "../../../layers/localnet/faults/FaultProfile.ts"
import { planFaults } from "../../../layers/localnet/faults/PlanFaults.ts"
import { getFeeStats } from "../../../layers/localnet/rpc/FeeStats.ts"
import { alice, bob, openFaulty, payBob, sequenceOf } from "./Scene.ts"

const LEDGERS = 60
/** Bids of the plan go up to 20,000 stroops for an operation. */
const DEAR_STROOPS = 20_001

test("low bids wait or are refused, high ones are in the next ledger, and the stats follow", () => {
  const { faulty, tick, truth } = openFaulty(planFaults("competition", FAULT_PROFILES.surge))
  const answers = { cheap: new Map<string, number>(), dear: new Map<string, number>() }
  const count = (of: Map<string, number>, what: string) => of.set(what, (of.get(what) ?? 0) + 1)
  /** Pays at the next sequence, lets a ledger close by the caller, and says what became of it. */
  const pay = (keys: Keypair, bid: number) => {
    const { envelopeXdr, hash } = payBob(keys, sequenceOf(truth, keys) + 1n, bid)
    const submission = faulty.network.submit(envelopeXdr)
    return () => {
      if (submission.status === "ERROR") return submission.result.result.type as string
      return truth.transaction(hash) === undefined ? "waits" : "applied"
    }
  }
  let p90Most = 0
  for (let ledger = 0; ledger < LEDGERS; ledger++) {
    const [cheap, dear] = [pay(alice, 100), pay(bob, DEAR_STROOPS)]
    tick()
    count(answers.cheap, cheap())
    count(answers.dear, dear())
    p90Most = Math.max(p90Most, Number(getFeeStats(truth).inclusionFee.p90))
  }
  expect([...answers.dear]).toEqual([["applied", LEDGERS]])
  expect([...answers.cheap.keys()].toSorted()).toEqual(["applied", "txInsufficientFee", "waits"])
  // What a surge of the plan bids at least.
  expect(p90Most).toBeGreaterThanOrEqual(200)
})
