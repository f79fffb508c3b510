/** What can happen in the model-based test, and how often. */
import fc from "fast-check"
import type { Fall } from "./ModelBasedActor.ts"

export type Weather = "none" | "request lost" | "answer lost" | "swallowed" | "late"

export interface Request {
  /** Few keys, so that they come again: with the same fields, and with others. */
  readonly key: number
  readonly campaign: number
  readonly wallet: number
  readonly amount: number
}

/** What one program does; of these several happen at the same time. */
export type Deed =
  | { readonly _tag: "Issue"; readonly request: Request; readonly fall: Fall | undefined }
  | { readonly _tag: "IssueMany"; readonly requests: ReadonlyArray<Request>; readonly fall: Fall | undefined }
  | { readonly _tag: "Cancel"; readonly which: number; readonly fall: Fall | undefined }
  | { readonly _tag: "Retry"; readonly which: number; readonly fall: Fall | undefined }
  | { readonly _tag: "Step"; readonly worker: number; readonly fall: Fall | undefined }
  | { readonly _tag: "Upkeep"; readonly worker: number; readonly fall: Fall | undefined }
  /** A worker that leased long ago wakes up and works on with those leases. */
  | { readonly _tag: "Zombie"; readonly worker: number; readonly fall: Fall | undefined }
  | { readonly _tag: "PauseCampaign"; readonly campaign: number; readonly isPaused: boolean }

export type Move =
  | Deed
  | { readonly _tag: "Together"; readonly deeds: ReadonlyArray<Deed> }
  | { readonly _tag: "Close" }
  /** Ledgers to come that leave out everything that waits. */
  | { readonly _tag: "LeaveOut"; readonly ledgers: number }
  /** Longer than a lease. */
  | { readonly _tag: "Sleep" }
  | { readonly _tag: "Weather"; readonly weather: Weather }
  | { readonly _tag: "DeliverLate" }
  /** Others fill the queue at this bid for an operation, in stroops. */
  | { readonly _tag: "Surge"; readonly bid: number }
  | { readonly _tag: "Trustline"; readonly isThere: boolean }
  /** What the treasury is left with, in stroops. */
  | { readonly _tag: "Treasury"; readonly stroops: number }
  /** A person has looked. */
  | { readonly _tag: "Resume" }

const fall: fc.Arbitrary<Fall | undefined> = fc.option(
  fc.record({
    at: fc.integer({ min: 1, max: 45 }),
    when: fc.constantFrom("before" as const, "after" as const),
    how: fc.oneof(
      { weight: 3, arbitrary: fc.constant("crash" as const) },
      { weight: 2, arbitrary: fc.constant("error" as const) },
    ),
  }),
  { nil: undefined, freq: 2 },
)

const request: fc.Arbitrary<Request> = fc.record({
  key: fc.integer({ min: 0, max: 40 }),
  campaign: fc.integer({ min: 0, max: 2 }),
  wallet: fc.integer({ min: 0, max: 4 }),
  amount: fc.integer({ min: 1, max: 40 }),
})

const worker = fc.integer({ min: 0, max: 2 })
const tagged = <Tag extends string, Fields extends object>(
  tag: Tag,
  fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> },
) =>
  fc.record({ _tag: fc.constant(tag), ...fields }) as unknown as fc.Arbitrary<{ readonly _tag: Tag } & Fields>

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: tagged("Issue", { request, fall }) },
  {
    weight: 4,
    arbitrary: tagged("IssueMany", {
      requests: fc.array(request, { minLength: 1, maxLength: 40, size: "max" }),
      fall,
    }),
  },
  { weight: 4, arbitrary: tagged("Cancel", { which: fc.nat(200), fall }) },
  { weight: 3, arbitrary: tagged("Retry", { which: fc.nat(200), fall }) },
  { weight: 12, arbitrary: tagged("Step", { worker, fall }) },
  { weight: 2, arbitrary: tagged("Upkeep", { worker, fall }) },
  { weight: 3, arbitrary: tagged("Zombie", { worker, fall }) },
  {
    weight: 1,
    arbitrary: tagged("PauseCampaign", {
      campaign: fc.integer({ min: 0, max: 2 }),
      isPaused: fc.boolean(),
    }),
  },
)

const none = { fall: undefined }

/** Faults, and a world that changes. */
const world: fc.Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ _tag: "Close" as const }) },
  { weight: 1, arbitrary: tagged("LeaveOut", { ledgers: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.constant({ _tag: "Sleep" as const }) },
  {
    weight: 4,
    arbitrary: tagged("Weather", {
      weather: fc.constantFrom<Array<Weather>>(
        "none",
        "none",
        "request lost",
        "answer lost",
        "swallowed",
        "late",
      ),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ _tag: "DeliverLate" as const }) },
  { weight: 1, arbitrary: tagged("Surge", { bid: fc.constantFrom(500, 2_000) }) },
  { weight: 2, arbitrary: tagged("Trustline", { isThere: fc.boolean() }) },
  { weight: 2, arbitrary: tagged("Treasury", { stroops: fc.constantFrom(0, 35, 120, 1_000_000) }) },
  { weight: 2, arbitrary: fc.constant({ _tag: "Resume" as const }) },
)

const isOfWorker = (one: Deed): number | undefined => ("worker" in one ? one.worker : undefined)

/** A worker does one thing at a time; the API as many as it is asked to. */
const together = fc.array(deed, { minLength: 2, maxLength: 4 }).map((deeds) => {
  const busy = new Set<number>()
  const distinct = deeds.filter((one) => {
    const who = isOfWorker(one)
    if (who === undefined) return true
    const isFree = !busy.has(who)
    busy.add(who)
    return isFree
  })
  // A fall is its actor's: of the API's only the first may have one.
  let isTaken = false
  return {
    _tag: "Together" as const,
    deeds: distinct.map((one) => {
      if (isOfWorker(one) !== undefined || !("fall" in one)) return one
      if (!isTaken) {
        isTaken = true
        return one
      }
      return { ...one, ...none }
    }),
  }
})

export const moves: fc.Arbitrary<ReadonlyArray<Move>> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: deed },
    { weight: 2, arbitrary: together },
    { weight: 5, arbitrary: world },
  ),
  { minLength: 10, maxLength: 60, size: "max" },
)
