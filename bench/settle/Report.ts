/** The figures as tables for people. */
import { number, type Row, table } from "../Table.ts"
import type { AcceptLatency } from "./AcceptLatency.ts"
import type { ClaimFigures, ClaimLatency } from "./ClaimLatency.ts"
import type { ProcessorShares } from "./ProcessorTime.ts"
import type { Settled } from "./Settlement.ts"

const percent = (share: number): string => `${number(share * 100, 1)} %`

/** A part that uses this share of what it can use is near its end: the queue in front of it grows. */
const NEAR_ITS_END = 0.8

/**
 * What could have kept the run from being faster, by processor time: a worker's one thread, PostgreSQL on all cores,
 * the network's one thread, or the machine, by us together or by what others ran on it.
 */
export const limitOf = (settled: Settled, cores: number): string => {
  const shares = settled.processor
  if (shares === null) return "not measured here"
  const ours = shares.workers + shares.postgres + shares.network + shares.bench
  const whose = ours >= shares.machine / 2 ? "the machine" : "other programs on the machine"
  const limits = [
    ["the workers", shares.workers / settled.workers],
    ["PostgreSQL", shares.postgres / cores],
    ["the embedded network", shares.network],
    [whose, shares.machine / cores],
  ] as const
  const reached = limits.filter(([, share]) => share >= NEAR_ITS_END).map(([name]) => name)
  return reached.length === 0 ? "none of them" : reached.join(", ")
}

const shareRow = (name: string, share: number, cores: number): Row => [
  name,
  `${percent(share)} of a core, ${percent(share / cores)} of the machine`,
]

const processorRows = (settled: Settled, cores: number): ReadonlyArray<Row> => {
  const shares: ProcessorShares | null = settled.processor
  if (shares === null) return [["processor time", "not measured on this system"]]
  return [
    shareRow(`${settled.workers === 1 ? "worker" : `${settled.workers} workers`}`, shares.workers, cores),
    shareRow("PostgreSQL with all its sessions", shares.postgres, cores),
    shareRow("embedded network", shares.network, cores),
    shareRow("this bench", shares.bench, cores),
    shareRow("all that ran on the machine", shares.machine, cores),
    ["limit", limitOf(settled, cores)],
  ]
}

const agreementRow = ({ agreement }: Settled): Row => [
  "confirmed rows and ledger payments",
  agreement.oneToOne
    ? `${number(agreement.confirmedRows)}, one to one`
    : `${agreement.confirmedRows} and ${agreement.ledgerPayments}: ${agreement.rowsWithoutPayment} rows without a payment, ${agreement.paymentsWithoutRow} payments without a row`,
]

export const settledTable = (settled: Settled, cores: number): string =>
  table(
    `Settling on ${settled.profile}'s limit: ${number(settled.capacity)} operations, a ledger each ${settled.close_interval_ms} ms`,
    [
      ["rewards queued", number(settled.rewards)],
      ["channels", number(settled.channels)],
      ["close interval, mean of those measured", `${number(settled.close_interval_mean_ms)} ms`],
      ["ledgers measured, without the first and the last that paid", number(settled.ledgers)],
      ["payments in them", number(settled.payments)],
      ["utilisation", percent(settled.utilisation)],
      ["full ledgers", number(settled.full_ledgers)],
      ["emptiest ledger", `${number(settled.emptiest_ledger)} payments`],
      [
        "ledgers from signing to inclusion",
        `median ${settled.ledgers_to_inclusion.p50}, longest ${settled.ledgers_to_inclusion.max}`,
      ],
      [
        "transactions, failed, fee bumps",
        `${number(settled.transactions)}, ${settled.failed_transactions}, ${settled.fee_bumps}`,
      ],
      ...processorRows(settled, cores),
      agreementRow(settled),
      ...Object.entries(settled.complaints).map(
        ([complaint, count]): Row => [
          `the workers said: ${complaint.slice(0, 70)}`,
          `${number(count)} times`,
        ],
      ),
      ["all confirmed in time", settled.finished ? "yes" : `no: ${JSON.stringify(settled.states)}`],
    ],
  )

export interface Baselines {
  readonly full: Settled
  readonly single: Settled
  readonly unbatched: Settled
}

export const ratios = ({ full, single, unbatched }: Baselines) => ({
  ratio_single: full.payments_per_ledger / single.payments_per_ledger,
  ratio_unbatched: full.payments_per_ledger / unbatched.payments_per_ledger,
})

export const baselineTable = (baselines: Baselines): string => {
  const { full, single, unbatched } = baselines
  const { ratio_single, ratio_unbatched } = ratios(baselines)
  const perLedger = (settled: Settled) => `${number(settled.payments_per_ledger, 2)} rewards a ledger`
  return table("Against one payment per transaction, on the same machine with the same settings", [
    [`batches over ${full.channels} channels`, perLedger(full)],
    [`one payment per transaction, one account, ${single.ledgers} ledgers`, perLedger(single)],
    [
      `one payment per transaction, ${unbatched.channels} channels, ${unbatched.ledgers} ledgers`,
      perLedger(unbatched),
    ],
    ["times one account", number(ratio_single, 1)],
    ["times the same channels", number(ratio_unbatched, 1)],
  ])
}

export const acceptTable = (accept: AcceptLatency): string =>
  table(
    `Accepted to confirmed over HTTP, unloaded, a ledger each ${accept.close_interval_ms} ms, ${accept.samples} rewards`,
    [
      ["median", `${number(accept.p50_seconds, 2)} s, ${number(accept.p50_ledgers, 2)} ledgers`],
      ["95th percentile", `${number(accept.p95_seconds, 2)} s, ${number(accept.p95_ledgers, 2)} ledgers`],
      ["longest", `${number(accept.max_seconds, 2)} s`],
      ...Object.entries(accept.paid_in_ledger).map(
        ([ledger, count]): Row => [`paid by ledger ${ledger} after accepting`, number(count)],
      ),
    ],
  )

const claimRow = (name: string, figures: ClaimFigures): Row => [
  `${name}: ${number(figures.historic_rows)} ended, ${number(figures.pending_rows)} pending`,
  `median ${number(figures.p50_ms, 1)} ms, 99th percentile ${number(figures.p99_ms, 1)} ms`,
]

export const claimTable = (claim: ClaimLatency): string =>
  table(`Claiming a batch of up to 100, ${claim.empty.claims} times`, [
    claimRow("no history", claim.empty),
    claimRow("long history", claim.history),
    claimRow("another's flood", claim.flood),
    [
      "claims until the small merchant's 10 behind the flood were bound",
      claim.flood_small_merchant_claims === 0 ? "not within them" : number(claim.flood_small_merchant_claims),
    ],
  ])
