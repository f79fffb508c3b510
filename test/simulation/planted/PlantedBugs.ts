/**
 * Bugs that somebody could have made, each a small patch of the sources (two edits, where something else would have kept
 * the first one from doing harm). They measure how well the simulation sees: each is planted alone, and no plan of
 * faults was made for it. Those that it did not see at first have made it look where it had not looked before
 * (docs/adr/0008-simulation.md).
 */
export interface Edit {
  readonly file: string
  /** Stands once in the file. */
  readonly find: string
  readonly replace: string
}

export interface PlantedBug {
  readonly name: string
  readonly breaks: string
  readonly edits: ReadonlyArray<Edit>
  /** A test that fails with it, where the simulation is not expected to see it; it is tried all the same. */
  readonly seenBy?: string
}

const bug = (name: string, breaks: string, ...edits: ReadonlyArray<Edit>): PlantedBug => ({
  name,
  breaks,
  edits,
})
const seenBy = (test: string, planted: PlantedBug): PlantedBug => ({ ...planted, seenBy: test })
const edit = (file: string, find: string, replace: string): Edit => ({ file, find, replace })

const SETTLE_VERDICT = "src/issuance/SettleVerdict.ts"
const FOLLOW_UP = "src/issuance/FollowUp.ts"
const CLAIM = "src/issuance/ClaimRewards.ts"
const SETTLE = "src/issuance/SettleBatch.ts"
const EJECT = "src/issuance/EjectRewards.ts"
const HAS_PASSED =
  "  const hasLedgerPassed = newest.ledgerSent === null || view.latestLedger > newest.ledgerSent\n"

const JUDGED = "  const judgement = judge(view, batch.envelopes, toLookUps(answers))\n"

/** Gives the batch back, so that it gets another sequence. */
const givenBack = (condition: string): string =>
  `${HAS_PASSED}  if (hasLedgerPassed && ${condition}) {
    yield* batchesOf.recordExpired(lease, aliveHashes)
    return yield* batchesOf.releaseExpired(lease, batch.sequence)
  }
`.replaceAll("batchesOf", "(yield* Batches)")

const releasedByLookUp = `yield* (yield* Batches).settleFailed(lease, { sequence: batch.sequence,
      hash: batch.envelopes[0]?.hash ?? "", ledger: 1, resultXdr: "", code: "x", feeStroops: 0n, ejections: [] })
    return "free" as Settled
    `

export const PLANTED_BUGS: ReadonlyArray<PlantedBug> = [
  bug(
    "new_sequence_on_not_found",
    "a look-up that finds nothing frees the batch for another sequence",
    edit(
      SETTLE_VERDICT,
      `${JUDGED}  if (judgement._tag === "Undecided") return yield* wait(judgement.reason)\n`,
      `${JUDGED}  if (judgement._tag === "Undecided") {\n    ${releasedByLookUp}}\n`,
    ),
  ),
  bug(
    "new_sequence_on_unknown_hand",
    "a sequence that nobody seems to have used frees its batch",
    edit(
      SETTLE_VERDICT,
      'if (judgement._tag === "UnknownHand") {\n',
      `if (judgement._tag === "UnknownHand") {\n    ${releasedByLookUp}`,
    ),
  ),
  bug(
    "new_sequence_on_lost_answer",
    "a sending without an answer frees the batch for another sequence",
    edit(FOLLOW_UP, HAS_PASSED, givenBack('newest.lastAnswer?.startsWith("no answer")')),
  ),
  bug(
    "new_sequence_on_try_again",
    "TRY_AGAIN_LATER frees the batch for another sequence",
    edit(FOLLOW_UP, HAS_PASSED, givenBack('newest.lastAnswer === "TRY_AGAIN_LATER"')),
  ),
  bug(
    "new_sequence_on_bad_seq",
    "tx_bad_seq frees the batch for another sequence",
    edit(FOLLOW_UP, HAS_PASSED, givenBack('newest.lastAnswer === "ERROR tx_bad_seq"')),
  ),
  bug(
    "new_sequence_after_patience",
    "three sendings without a ledger free the batch for another sequence",
    edit(FOLLOW_UP, HAS_PASSED, givenBack("newest.sends >= 3")),
  ),
  bug(
    "expired_too_early",
    "envelopes count as expired three ledgers before they are",
    edit(
      "src/issuance/Verdict.ts",
      "view.latestLedger + 1 >= envelope.ledgerMax",
      "view.latestLedger + 4 >= envelope.ledgerMax",
    ),
  ),
  bug(
    "consumed_off_by_one",
    "the sequence counts as consumed only when the next one is",
    edit(
      "src/issuance/Verdict.ts",
      "if (view.sequence >= boundSequence)",
      "if (view.sequence > boundSequence)",
    ),
  ),
  bug(
    "sent_before_stored",
    "the envelope is sent before it is stored",
    edit(
      "src/issuance/SignBatch.ts",
      "const signed = yield* sign(unsigned, [channelKey(lease.channelId), distributionKey])\n",
      "const signed = yield* sign(unsigned, [channelKey(lease.channelId), distributionKey])\n  yield* send(lease, signed, view.latestLedger)\n",
    ),
  ),
  bug(
    "writes_not_together",
    "the writes of a settlement are not one transaction",
    edit(
      "src/issuance/Batches.ts",
      "          Effect.andThen(writes),\n          sql.withTransaction,\n",
      "          Effect.andThen(writes),\n",
    ),
  ),
  bug(
    "only_newest_looked_up",
    "only the newest envelope at a consumed sequence is looked up",
    edit(SETTLE_VERDICT, "of batch.envelopes.toReversed()", "of batch.envelopes.slice(-1)"),
  ),
  bug(
    "result_not_read",
    "what was included counts as successful",
    edit(
      SETTLE_VERDICT,
      'const successful = applied.transaction.status === "SUCCESS"',
      "const successful = true",
    ),
  ),
  bug(
    "operations_in_other_order",
    "the stored order of the rewards is not that of the operations",
    edit(
      "src/issuance/SignBatch.ts",
      "issuanceIds: payments.map((payment) => payment.issuanceId)",
      "issuanceIds: payments.map((payment) => payment.issuanceId).toReversed()",
    ),
  ),
  bug(
    "paid_twice_in_a_batch",
    "the first reward of a full batch is in it twice",
    edit(
      "src/issuance/PaymentTransaction.ts",
      "for (const payment of plan.payments)",
      "for (const payment of plan.payments.length > 4 ? [...plan.payments, ...plan.payments.slice(0, 1)] : plan.payments)",
    ),
  ),
  bug(
    "float_not_counted",
    "what is bound already is not taken off the treasury",
    edit(CLAIM, `\${treasuryStroops}::bigint - coalesce(`, `\${treasuryStroops}::bigint - 0 * coalesce(`),
  ),
  bug(
    "old_balance_believed",
    "a claim goes by a balance from before the last settlement",
    edit(CLAIM, `<= \${treasuryLedger}\n`, `<= \${treasuryLedger} + 1000\n`),
  ),
  bug(
    "claimed_without_lock",
    "a reward is bound that somebody is just taking back",
    edit(CLAIM, "      FOR UPDATE SKIP LOCKED\n    ), channel AS", "    ), channel AS"),
  ),
  bug(
    "key_without_constraint",
    "a key is looked up, then inserted, and nothing keeps it unique",
    edit(
      "migrations/0004_create_reward_issuances.ts",
      "UNIQUE (merchant_id, mode, idempotency_key)",
      "UNIQUE (merchant_id, mode, idempotency_key, id)",
    ),
  ),
  bug(
    "budget_without_lock",
    "a budget is read without a lock, and nothing else keeps it",
    edit("src/campaign/OpenBook.ts", ") ORDER BY id FOR NO KEY UPDATE`", ") ORDER BY id`"),
    edit(
      "migrations/0002_create_campaigns.ts",
      "CHECK (spent_stroops <= budget_stroops - reserved_stroops)",
      "CHECK (true)",
    ),
  ),
  bug(
    "accepted_in_pieces",
    "key, row and budget are not one transaction",
    edit(
      "src/issuance/AcceptRewards.ts",
      "sql.withTransaction(inTransaction(rewards))",
      "inTransaction(rewards)",
    ),
  ),
  bug(
    "known_key_not_compared",
    "a key that is known answers for every request",
    edit("src/issuance/AcceptRewards.ts", "Buffer.compare(hash, mine) === 0", "hash.length === mine.length"),
  ),
  bug(
    "budget_released_for_held",
    "a reward that is held gives its budget back, and keeps it",
    edit(
      EJECT,
      "SELECT campaign_id, sum(amount_stroops)::bigint AS stroops FROM gone WHERE status = 'failed' GROUP BY 1",
      "SELECT campaign_id, sum(amount_stroops)::bigint AS stroops FROM gone GROUP BY 1",
    ),
  ),
  bug(
    "cap_not_released",
    "a reward that fails keeps its part of the wallet's cap",
    edit(
      EJECT,
      "SET used_stroops = used_stroops - s.stroops",
      "SET used_stroops = used_stroops - 0 * s.stroops",
    ),
  ),
  bug(
    "event_left_out",
    "a reward that goes back to the queue does so without a line in its history",
    edit(
      SETTLE,
      `coalesce(reason, \${reason}), \${JSON.stringify(detail)}::jsonb\n      FROM released`,
      `coalesce(reason, \${reason}), \${JSON.stringify(detail)}::jsonb\n      FROM released WHERE false`,
    ),
  ),
  // Seen where a merchant takes it back between the look and the write: one seed in hundreds.
  seenBy(
    "test/issuance/HeldRewards.test.ts",
    bug(
      "freed_by_id_alone",
      "a held reward is freed although it was taken back meanwhile",
      edit(
        "src/issuance/HeldRewards.ts",
        `AND r.id = ANY(\${ids}::text[]) AND r.status = 'held' AND r.held_check_at = \${takenUntil}`,
        `AND r.id = ANY(\${ids}::text[])`,
      ),
    ),
  ),
  bug(
    "another_merchants_reward",
    "a reward is shown to whoever knows its id",
    edit("src/issuance/Issuances.ts", `WHERE i.id = \${id} AND \${owned(owner)}\``, `WHERE i.id = \${id}\``),
  ),
  bug(
    "reclaimed_twice",
    "a balance that is taken back gives its budget back once more",
    edit(
      "src/issuance/ClaimableBalanceRows.ts",
      "SET spent_stroops = spent_stroops - s.stroops",
      "SET spent_stroops = spent_stroops - 2 * s.stroops",
    ),
  ),
  // Of two claims the second looks for the same rewards as the first and finds them locked: it binds too few of them, but
  // seldom too many.
  seenBy(
    "test/issuance/Channels.test.ts",
    bug(
      "claims_side_by_side",
      "two claims do not wait for each other",
      edit(
        "src/issuance/DatabaseIdentity.ts",
        "    FROM issuance_control WHERE id = 1 FOR UPDATE`",
        "    FROM issuance_control WHERE id = 1`",
      ),
    ),
  ),
  bug(
    "no_fence",
    "whoever once held a channel may still write for it, and no step has a time limit, which hides that",
    edit(
      "src/issuance/Channels.ts",
      ` AND lease_owner = \${lease.owner} AND lease_token = \${lease.token}\n    FOR UPDATE`,
      "\n    FOR UPDATE",
    ),
    edit(
      "src/programs/IssuanceWorker.ts",
      "    Effect.timeout(settings.leaseMs),\n",
      "    Effect.timeout(1_000 * settings.leaseMs),\n",
    ),
  ),
  bug(
    "balances_forgotten",
    "a reward that was left as a balance leaves no balance in the tables",
    edit(
      SETTLE_VERDICT,
      "const hasBalances = outcome.balanceIds.some((id) => id !== undefined)",
      "const hasBalances = false",
    ),
  ),
  bug(
    "left_out_for_ever",
    "what did not fit under the signer's cap is not released when the batch is settled",
    edit(
      SETTLE,
      `  yield* releaseRest(channelId, batch.sequence, {\n    at,\n    reason: "left_out",`,
      `  if (batch.ledger < 0) yield* releaseRest(channelId, batch.sequence, {\n    at,\n    reason: "left_out",`,
    ),
  ),
  bug(
    "blamed_for_the_next",
    "a reward ends for what the ledger says of the one after it",
    edit("src/issuance/PrepareBatch.ts", "findingOf(fates[index])", "findingOf(fates[index + 1])"),
  ),
  bug(
    "lagging_node_believed",
    "a node that lags says who cannot be paid",
    edit(
      "src/issuance/Preflight.ts",
      "const isOutdated = (ledger: number) => !tip.isAsNew(ledger, askedMs)",
      "const isOutdated = (ledger: number) => ledger < 0",
    ),
  ),
  bug(
    "reclaim_not_booked",
    "a balance that is taken back gives nothing back to its campaign",
    edit(
      "src/issuance/UpkeepTransactions.ts",
      "yield* recordReclaimed(transaction.subjects,",
      "yield* recordReclaimed([],",
    ),
  ),
  bug(
    "paid_unseen",
    "a batch goes on though nobody could say who of it can be paid",
    edit("src/issuance/PrepareBatch.ts", "isSeen: unseen.size === 0", "isSeen: unseen.size >= 0"),
  ),
  bug(
    "bump_refused_for_its_clock",
    "a fee bump over what a faster clock has signed is refused",
    edit(
      "layers/signer/SignerPolicy.ts",
      "const TIME_AHEAD_SECONDS = 900n",
      "const TIME_AHEAD_SECONDS = 300n",
    ),
  ),
  seenBy(
    "test/programs/WorkerStart.test.ts",
    bug(
      "impatient_start",
      "a database that goes away under a start ends the program",
      edit(
        "src/programs/StartIssuing.ts",
        'return isDatabaseAway(error) ? "database" : undefined',
        "return undefined",
      ),
    ),
  ),
]
