import { describe, expect, test } from "bun:test"
import { type Fault, type FaultPlan, planJson } from "../../../layers/localnet/faults/FaultPlan.ts"
import { FAULT_PROFILES } from "../../../layers/localnet/faults/FaultProfile.ts"
import { planFaults } from "../../../layers/localnet/faults/PlanFaults.ts"
import { splitMix64 } from "../../../layers/localnet/faults/Random.ts"
import { makeSchedule } from "../../../layers/localnet/faults/Schedule.ts"

describe("a plan by seed", () => {
  test("SplitMix64 gives the numbers that its reference gives for 1234567", () => {
    // https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
    const random = splitMix64(1234567n)
    expect([random.next(), random.next(), random.next(), random.next(), random.next()]).toEqual([
      6457827717110365317n,
      3203168211198807973n,
      9817491932198370423n,
      4593380528125082431n,
      16408922859458223821n,
    ])
  })

  test("the same seed and profile give the same plan, another seed another one", () => {
    const plan = planJson(planFaults("42", FAULT_PROFILES.mixed))
    expect(planJson(planFaults("42", FAULT_PROFILES.mixed))).toBe(plan)
    expect(planJson(planFaults("43", FAULT_PROFILES.mixed))).not.toBe(plan)
    expect(JSON.parse(plan)).toMatchObject({ seed: "42", profile: "mixed", ledgers: 200, repeats: false })
  })

  test("the plan is data: read back from its JSON it is the same plan", () => {
    const plan = planFaults("data", FAULT_PROFILES.mixed)
    expect(JSON.parse(planJson(plan)) as FaultPlan).toEqual(plan)
  })

  test("the mixed profile draws every kind; the others only their own", () => {
    const kindsOf = (profile: keyof typeof FAULT_PROFILES) =>
      new Set(
        Array.from({ length: 20 }, (_, seed) => planFaults(String(seed), FAULT_PROFILES[profile]).faults)
          .flat()
          .map(({ kind }) => kind),
      )
    expect(kindsOf("mixed").size).toBe(11)
    expect([...kindsOf("queue")].sort()).toEqual(["dropped", "hash_ban", "late"])
    expect([...kindsOf("surge")]).toEqual(["fee_surge"])
    expect([...kindsOf("node")].sort()).toEqual(["lag", "not_found"])
  })

  test("faults come in the order of their ledgers, within the plan", () => {
    const { faults, ledgers } = planFaults("order", FAULT_PROFILES.mixed)
    const at = faults.map(({ ledger }) => ledger)
    expect(at).toEqual(at.toSorted((one, other) => one - other))
    expect(Math.max(...at)).toBeLessThan(ledgers)
  })
})

describe("the schedule", () => {
  const planOf = (repeats: boolean, ...faults: ReadonlyArray<Fault>): FaultPlan => ({
    seed: "",
    profile: "",
    ledgers: 10,
    repeats,
    faults,
  })
  const drop: Fault = { kind: "dropped", ledger: 2, ledgers: 3, skip: 1, times: 1 }

  test("a plan that repeats begins again, with all that it has", () => {
    const schedule = makeSchedule(planOf(true, drop))
    const struck: Array<number> = []
    for (let ledger = 0; ledger < 25; ledger++) {
      if (schedule.strike(["dropped"]) !== undefined) struck.push(ledger)
      schedule.ledgerClosed()
    }
    // Asked once a ledger: the first call in the window is skipped, the second is hit.
    expect(struck).toEqual([3, 13, 23])
  })

  test("one that does not is over", () => {
    const schedule = makeSchedule(planOf(false, drop))
    const struck = Array.from({ length: 25 }, () => {
      const hit = schedule.strike(["dropped"]) !== undefined
      schedule.ledgerClosed()
      return hit
    })
    expect(struck.filter(Boolean)).toHaveLength(1)
  })

  test("two faults of a kind at once hit one call each", () => {
    const one: Fault = { kind: "dropped", ledger: 0, ledgers: 1, skip: 0, times: 1 }
    const schedule = makeSchedule(planOf(false, one, one))
    const hits = [1, 2, 3].map(() => schedule.strike(["dropped"]) !== undefined)
    expect(hits).toEqual([true, true, false])
  })
})
