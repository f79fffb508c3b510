/** What the issuance worker counts. Names are stable: dashboards and alerts read them. */
import { Effect, Metric } from "effect"

export const confirmedTotal = Metric.counter("issuance.confirmed_total", {
  description: "Issuances confirmed by the ledger",
  incremental: true,
})
export const failedTotal = Metric.counter("issuance.failed_total", {
  description: "Issuances that ended without a payment",
  incremental: true,
})
export const heldTotal = Metric.counter("issuance.held_total", {
  description: "Issuances that were held, by reason",
  incremental: true,
})
const verdictsTotal = Metric.counter("issuance.verdicts_total", {
  description: "Verdicts about submitted batches, by outcome",
  incremental: true,
})
const answersTotal = Metric.counter("issuance.answers_total", {
  description: "Answers to sent envelopes, by their first words",
  incremental: true,
})
export const bumpsTotal = Metric.counter("issuance.fee_bumps_total", {
  description: "Fee bumps signed",
  incremental: true,
})
export const feesStroopsTotal = Metric.counter("issuance.fees_stroops_total", {
  description: "Fees that the ledger charged for batches, in stroops",
  bigint: true,
  incremental: true,
})
export const settlementLagSeconds = Metric.histogram("issuance.settlement_lag_seconds", {
  description: "From the accepted request to the confirmed payment, in seconds",
  boundaries: Metric.boundariesFromIterable([1, 2, 5, 7.5, 10, 15, 20, 30, 60, 120, 300, 900, 3600, 86_400]),
})
export const batchFill = Metric.histogram("issuance.batch_fill", {
  description: "Rewards in a signed transaction",
  boundaries: Metric.boundariesFromIterable([1, 2, 5, 10, 25, 50, 75, 90, 99, 100]),
})
export const ledgerUtilisation = Metric.gauge("issuance.ledger_utilisation", {
  description: "Share of the newest settled ledger's operations that this worker's batches took, 0 to 1",
})
export const channelsInFlight = Metric.gauge("issuance.channels_in_flight", {
  description: "Channels of this worker with a batch that has no verdict yet",
})
const channelsByState = Metric.gauge("issuance.channels", {
  description: "Channels of the whole pool, by state",
})
export const isPausedGauge = Metric.gauge("issuance.paused", {
  description: "1 while issuing is paused, by a person or by a worker",
})
export const stepsFailed = Metric.gauge("issuance.steps_failed", {
  description: "Steps that have failed in a row; 0 while the worker works",
})

export const countVerdict = (outcome: string) =>
  Metric.update(Metric.withAttributes(verdictsTotal, { outcome }), 1)

/** Only what is one of few: an answer's operations or fee would make a series each. */
export const countAnswer = (text: string) =>
  Metric.update(Metric.withAttributes(answersTotal, { answer: text.split(" ").slice(0, 2).join(" ") }), 1)

export const countHeld = (reason: string, count: number) =>
  Metric.update(Metric.withAttributes(heldTotal, { reason }), count)

export const setChannelStates = (statuses: ReadonlyArray<string>) =>
  Effect.forEach(
    ["open", "quarantined", "halted"],
    (state) =>
      Metric.update(
        Metric.withAttributes(channelsByState, { state }),
        statuses.filter((status) => status === state).length,
      ),
    { discard: true },
  )
