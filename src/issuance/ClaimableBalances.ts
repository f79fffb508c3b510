/**
 * Takes back the claimable balances that nobody claimed in time, and notes those that were.
 *
 * Invariant: a balance counts as taken by somebody else only when the ledger, at or after the one that made it, no
 * longer has it, and no transaction of ours may have been what took it (ClaimableBalanceRows).
 *
 * Source: CAP-23 (claimable balances): an unconditional claimant may come first at any time, and then our claim
 * fails as a whole and is made anew without that one.
 */
import { Operation } from "@stellar/stellar-sdk"
import { Clock, Effect, Metric } from "effect"
import { distributionKey, Signer } from "../ports/Signer.ts"
import { countBalances, dueBalances, recordClaimed } from "./ClaimableBalanceRows.ts"
import { accountIn } from "./LedgerAccounts.ts"
import { accountKey, claimableBalanceKey, readLedgerEntries } from "./LedgerEntries.ts"
import { submitUpkeep, UPKEEP_OPERATIONS_MAX } from "./UpkeepSteps.ts"
import { isUpkeepPaused } from "./UpkeepTransactions.ts"

/** Ledgers close by their own clock, and the predicate asks it: this much later than ours, in ms, it has surely come. */
const CLOCK_ALLOWANCE_MS = 60_000

const balances = Metric.gauge("issuance.claimable_balances", {
  description:
    "Rewards left as claimable balances, by state; open ones may have been claimed, but are not due yet",
})

/**
 * Looks at the balances whose reclaim time has passed, and claims those that are still there. Belongs after
 * `advanceUpkeep` has said "free".
 *
 * @error SorobanRpcError, SignerError
 */
export const reclaimBalances = Effect.fn("ClaimableBalances.reclaim")(function* () {
  const { distributionAddress } = yield* Signer
  const dueBefore = new Date((yield* Clock.currentTimeMillis) - CLOCK_ALLOWANCE_MS)
  const due = yield* dueBalances(dueBefore, UPKEEP_OPERATIONS_MAX)
  if (due.length === 0) return
  const ourKey = accountKey(distributionAddress)
  const keyed = due.map((balance) => ({ ...balance, key: claimableBalanceKey(balance.balanceId) }))
  const answer = yield* readLedgerEntries([ourKey, ...keyed.map(({ key }) => key)])
  const { entries, latestLedger } = answer
  const gone = keyed.filter(({ key, ledgerMade }) => !entries.has(key) && latestLedger >= ledgerMade)
  yield* recordClaimed(gone.map(({ issuanceId }) => issuanceId))
  const there = keyed.filter(({ key }) => entries.has(key))
  const ours = accountIn(answer, distributionAddress)
  if (there.length === 0 || ours === undefined || (yield* isUpkeepPaused("reclaim"))) return
  yield* submitUpkeep({
    purpose: "reclaim",
    operations: there.map(({ balanceId }) => Operation.claimClaimableBalance({ balanceId })),
    subjects: there.map(({ issuanceId }) => issuanceId),
    keys: [distributionKey],
    latestLedger,
    sequence: ours.sequence,
    availableStroops: ours.availableStroops,
  })
})

/** Brings the gauge up to date. */
export const measureBalances = Effect.gen(function* () {
  const counts = yield* countBalances
  for (const status of ["open", "claimed", "reclaimed"] as const) {
    yield* Metric.update(Metric.withAttributes(balances, { status }), counts.get(status) ?? 0)
  }
})
