/** The invariants that are checked after every seed and every experiment. */
export const CLAIMS: ReadonlyArray<readonly [name: string, claim: string]> = [
  ["I1", "An accepted reward is paid at most once on the ledger."],
  [
    "I2",
    "A confirmed reward is exactly one operation on the ledger, with its transaction, place, recipient and amount, and each payment of the distribution account is exactly one reward.",
  ],
  ["I3", "Nothing accepted is lost: in the end it is confirmed, failed with a reason, held or cancelled."],
  ["I4", "What a campaign spent, reserved and has left is its budget, and it never spends more."],
  ["I5", "One idempotency key is one reward, whatever is repeated and whenever."],
  ["I7", "A merchant never sees what is another's."],
]
