/** `nova migrate` */
import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import { migrate } from "../../layers/db/Migrations.ts"
import * as Live from "../../layers/Live.ts"

export const migrateCommand = Command.make(
  "migrate",
  {},
  Effect.fnUntraced(
    function* () {
      const applied = yield* migrate
      for (const [id, name] of applied) yield* Console.log(`applied ${String(id).padStart(4, "0")} ${name}`)
      if (applied.length === 0) yield* Console.log("The schema is up to date.")
    },
    Effect.provide(Live.database("migrate")),
  ),
).pipe(Command.withDescription("Brings the database at DATABASE_URL to the newest schema"))
