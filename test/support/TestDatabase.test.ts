import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { withLayer } from "./it.ts"
import { TestDatabase } from "./TestDatabase.ts"

const { live } = withLayer(TestDatabase.layer)

live("a test file has a database of its own, migrated and empty", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const address = yield* TestDatabase
    const [row] = yield* sql<{ name: string; zone: string }>`
      SELECT current_database() AS name, current_setting('TimeZone') AS zone`
    expect(row).toEqual({ name: address.database, zone: "UTC" })
    expect(yield* sql`SELECT * FROM merchants`).toEqual([])
  }),
)

live("and loses it with the scope", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const other = yield* Effect.scoped(
      Effect.provide(TestDatabase, TestDatabase.layerAddress, { local: true }),
    )
    const mine = yield* TestDatabase
    const found = yield* sql<{ datname: string }>`
      SELECT datname FROM pg_database WHERE datname IN (${other.database}, ${mine.database})`
    expect(found).toEqual([{ datname: mine.database }])
  }),
)
