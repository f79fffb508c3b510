/** Why issuing does not start here: one sentence with the way out. Nothing was sent. */
import { Schema } from "effect"

export class IssuanceRefused extends Schema.TaggedError<IssuanceRefused>()("IssuanceRefused", {
  code: Schema.Literals([
    "wrong_network",
    "network_was_reset",
    "wrong_asset",
    "database_older_than_ledger",
    "distribution_account_missing",
    "channels_not_created",
  ]),
  message: Schema.String,
}) {}
