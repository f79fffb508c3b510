/** What can be wrong with a request to issue, as stable codes. Services know no HTTP: see api/Problems.ts. */
import { Schema } from "effect"

export class IssuanceNotFound extends Schema.TaggedError<IssuanceNotFound>()("IssuanceNotFound", {
  message: Schema.String,
}) {
  readonly code = "issuance.not_found" as const
}

/** The key was used before, for another request. */
export class IdempotencyKeyReused extends Schema.TaggedError<IdempotencyKeyReused>()("IdempotencyKeyReused", {
  message: Schema.String,
}) {
  readonly code = "idempotency.key_reused" as const
}

/** A payment to this wallet would be no reward: it is one of the accounts that issue or pay them. */
export class WalletNotPayable extends Schema.TaggedError<WalletNotPayable>()("WalletNotPayable", {
  message: Schema.String,
}) {
  readonly code = "issuance.wallet_not_payable" as const
}

/** The key's mode is not the one whose rewards are paid here, so this reward would wait for ever. */
export class ModeNotPaid extends Schema.TaggedError<ModeNotPaid>()("ModeNotPaid", {
  message: Schema.String,
}) {
  readonly code = "issuance.mode_not_paid" as const
}

/** Where the issuance stands, this cannot be done with it. */
export class IssuanceStateConflict extends Schema.TaggedError<IssuanceStateConflict>()(
  "IssuanceStateConflict",
  { message: Schema.String },
) {
  readonly code = "issuance.state_conflict" as const
}

export type IssuanceError =
  | IssuanceNotFound
  | IdempotencyKeyReused
  | WalletNotPayable
  | ModeNotPaid
  | IssuanceStateConflict
