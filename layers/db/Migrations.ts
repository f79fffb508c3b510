/**
 * The schema's history, forward only. Safe to run by several processes at once: the migrator takes an exclusive
 * lock on its table inside the transaction that migrates, so one runs and the others find nothing left to do.
 */
import { Effect } from "effect"
import { Migrator, type SqlClient, type SqlError } from "effect/sql"
import migration0001 from "../../migrations/0001_create_merchants.ts"
import migration0002 from "../../migrations/0002_create_campaigns.ts"
import migration0003 from "../../migrations/0003_create_users.ts"
import migration0004 from "../../migrations/0004_create_reward_issuances.ts"
import migration0005 from "../../migrations/0005_create_channels.ts"
import migration0006 from "../../migrations/0006_create_network_identity.ts"
import migration0007 from "../../migrations/0007_campaign_policies.ts"
import migration0008 from "../../migrations/0008_channel_upkeep.ts"
import migration0009 from "../../migrations/0009_unmatched_payments.ts"
import migration0010 from "../../migrations/0010_signing_days.ts"
import migration0011 from "../../migrations/0011_unmatched_balances.ts"
import migration0012 from "../../migrations/0012_database_identity.ts"
import migration0013 from "../../migrations/0013_reviewed_rewards.ts"

const loader = Migrator.fromRecord({
  "0001_create_merchants": migration0001,
  "0002_create_campaigns": migration0002,
  "0003_create_users": migration0003,
  "0004_create_reward_issuances": migration0004,
  "0005_create_channels": migration0005,
  "0006_create_network_identity": migration0006,
  "0007_campaign_policies": migration0007,
  "0008_channel_upkeep": migration0008,
  "0009_unmatched_payments": migration0009,
  "0010_signing_days": migration0010,
  "0011_unmatched_balances": migration0011,
  "0012_database_identity": migration0012,
  "0013_reviewed_rewards": migration0013,
})

/** Brings the database to the newest schema; answers with what was run now, oldest first. */
export const migrate: Effect.Effect<
  ReadonlyArray<readonly [id: number, name: string]>,
  Migrator.MigrationError | SqlError.SqlError,
  SqlClient.SqlClient
> = Migrator.make({})({ loader, table: "nova_migrations" }).pipe(Effect.withSpan("migrate"))
