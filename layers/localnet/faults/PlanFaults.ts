/** Plans by seed. */
import type { Fault, FaultKind, FaultPlan } from "./FaultPlan.ts"
import type { FaultProfile } from "./FaultProfile.ts"
import { type Random, randomFrom } from "./Random.ts"

const windowAt = (random: Random, ledger: number) => ({ ledger, ledgers: random.between(1, 8) })

const countedAt = (random: Random, ledger: number) => ({
  ...windowAt(random, ledger),
  skip: random.between(0, 3),
  times: random.between(1, 4),
})

const onCallsAt = (random: Random, ledger: number) => ({
  ...countedAt(random, ledger),
  on: random.isHeads() ? ("submit" as const) : ("read" as const),
})

const draw: { readonly [Kind in FaultKind]: (random: Random, ledger: number) => Fault } = {
  request_lost: (random, ledger) => ({ kind: "request_lost", ...onCallsAt(random, ledger) }),
  answer_lost: (random, ledger) => ({ kind: "answer_lost", ...onCallsAt(random, ledger) }),
  gateway_timeout: (random, ledger) => ({
    kind: "gateway_timeout",
    ...onCallsAt(random, ledger),
    reached: random.isHeads(),
  }),
  rate_limited: (random, ledger) => ({ kind: "rate_limited", ...onCallsAt(random, ledger) }),
  dropped: (random, ledger) => ({ kind: "dropped", ...countedAt(random, ledger) }),
  late: (random, ledger) => ({
    kind: "late",
    ...countedAt(random, ledger),
    heldLedgers: random.between(1, 9),
  }),
  hash_ban: (random, ledger) => ({ kind: "hash_ban", ...countedAt(random, ledger) }),
  lag: (random, ledger) => ({
    kind: "lag",
    ...windowAt(random, ledger),
    behindLedgers: random.between(1, 6),
  }),
  not_found: (random, ledger) => ({ kind: "not_found", ...windowAt(random, ledger) }),
  stall: (random, ledger) => ({ kind: "stall", ledger, intervals: random.between(1, 6) }),
  fee_surge: (random, ledger) => ({
    kind: "fee_surge",
    ...windowAt(random, ledger),
    bidStroops: 100 * random.between(2, 200),
    waitingLedgers: random.isHeads() ? 1 : 2,
  }),
}

/** The kinds as often as their weights say, in an order that does not depend on how the profile was written. */
const lots = (weights: FaultProfile["weights"]): ReadonlyArray<FaultKind> =>
  (Object.keys(draw) as Array<FaultKind>).flatMap((kind) =>
    Array.from({ length: weights[kind] ?? 0 }, () => kind),
  )

/**
 * The plan for a seed: pure, the same for the same seed and profile.
 *
 * It repeats when told so, for a network that runs as long as somebody needs it.
 */
export const planFaults = (seed: string, profile: FaultProfile, repeats = false): FaultPlan => {
  const random = randomFrom(`${profile.name} ${seed}`)
  const kinds = lots(profile.weights)
  const [spacingMin, spacingMax] = profile.spacingLedgers
  const faults: Array<Fault> = []
  let ledger = random.between(spacingMin, spacingMax)
  while (ledger < profile.ledgers && kinds.length > 0) {
    const kind = kinds[random.between(0, kinds.length - 1)]
    if (kind !== undefined) faults.push(draw[kind](random, ledger))
    ledger += random.between(spacingMin, spacingMax)
  }
  return { seed, profile: profile.name, ledgers: profile.ledgers, repeats, faults }
}
