/** Sessions at the test's own database, for a run of the simulation inside of a test. */
import { Effect } from "effect"
import { TestDatabase } from "../support/TestDatabase.ts"
import { openSessions } from "./RealSessions.ts"

export const sessions = Effect.acquireRelease(
  Effect.flatMap(TestDatabase, ({ url }) => Effect.promise(() => openSessions(url))),
  (opened) => Effect.promise(() => opened.close()),
)

/** For a few seeds, in ms. */
export const TIMEOUT_MS = 180_000
