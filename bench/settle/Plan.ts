/** What is measured, and how much of it. */

export type Profile = "mainnet" | "testnet"

/** Classic operations that a ledger holds (docs/adr/0002-embedded-network.md). */
export const CAPACITY: Readonly<Record<Profile, number>> = { mainnet: 1000, testnet: 200 }

export interface SettlePlan {
  /** Between ledgers while throughput is measured, in ms. */
  readonly closeIntervalMs: number
  /** Queued when the worker is let loose. */
  readonly rewards: Readonly<Record<Profile, number>>
  /** Recipients with a trustline; rewards go round them, so that caches of recipients are not flattered. */
  readonly wallets: number
  /** Issuance workers that share the pool. */
  readonly workers: number
  /** Channel accounts; undefined leaves the choice to the engine. */
  readonly channels: number | undefined
  /** Full ledgers over which each of the two baselines is measured. */
  readonly baselineLedgers: number
  /** Rewards sent one by one to an idle system, and the ledgers' pace there, in ms. */
  readonly accept: { readonly samples: number; readonly closeIntervalMs: number }
  readonly claim: ClaimPlan
}

export interface ClaimPlan {
  /** Claims measured in each scene. */
  readonly claims: number
  /** Rewards that ended long ago, in the scenes that have a history. */
  readonly historicRows: number
  /** Pending rewards of the merchant that floods the queue, in the scene that has one. */
  readonly floodRows: number
}

export const FULL: SettlePlan = {
  closeIntervalMs: 1500,
  rewards: { mainnet: 100_000, testnet: 20_000 },
  wallets: 5000,
  workers: 1,
  channels: undefined,
  baselineLedgers: 20,
  accept: { samples: 30, closeIntervalMs: 5000 },
  claim: { claims: 100, historicRows: 1_000_000, floodRows: 100_000 },
}

/** A minute's look; its figures are noisy. */
export const QUICK: SettlePlan = {
  closeIntervalMs: 1000,
  rewards: { mainnet: 12_000, testnet: 2400 },
  wallets: 1000,
  workers: 1,
  channels: undefined,
  baselineLedgers: 4,
  accept: { samples: 2, closeIntervalMs: 5000 },
  claim: { claims: 30, historicRows: 100_000, floodRows: 20_000 },
}

export const USAGE =
  "usage: bun run bench settle [--quick] [--close-interval-ms 1500] [--workers 1] [--channels 20] [--only mainnet,testnet,baselines,accept,claim]"

export const PARTS = ["mainnet", "testnet", "baselines", "accept", "claim"] as const
export type Part = (typeof PARTS)[number]

export interface Chosen {
  readonly plan: SettlePlan
  readonly parts: ReadonlyArray<Part>
}

const LIMITS: Readonly<Record<string, readonly [minimum: number, maximum: number]>> = {
  "--close-interval-ms": [50, 60_000],
  "--workers": [1, 16],
  "--channels": [1, 198],
}

const isPart = (name: string): name is Part => PARTS.some((part) => part === name)

/** By the flags of the command line; undefined where they make no sense. */
export const planOf = (flags: ReadonlyArray<string>): Chosen | undefined => {
  const rest = flags.filter((flag) => flag !== "--quick")
  const base = rest.length < flags.length ? QUICK : FULL
  const given = new Map<string, number>()
  let parts: ReadonlyArray<Part> = PARTS
  for (let at = 0; at < rest.length; at += 2) {
    const [flag = "", value = ""] = rest.slice(at, at + 2)
    if (flag === "--only") {
      const names = value.split(",")
      parts = names.filter(isPart)
      if (parts.length !== names.length) return undefined
      continue
    }
    const [minimum, maximum] = LIMITS[flag] ?? [1, 0]
    const number = Number(value)
    if (!Number.isInteger(number) || number < minimum || number > maximum) return undefined
    given.set(flag, number)
  }
  return {
    parts,
    plan: {
      ...base,
      closeIntervalMs: given.get("--close-interval-ms") ?? base.closeIntervalMs,
      workers: given.get("--workers") ?? base.workers,
      channels: given.get("--channels") ?? base.channels,
    },
  }
}
