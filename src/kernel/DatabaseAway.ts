/** Tells a database that is out of reach from a statement that it refused. */
import { SqlError } from "effect/sql"

/** The SQLSTATE that PostgreSQL sent. Source: PostgreSQL's documentation, appendix A */
const sqlStateOf = (cause: unknown): string | undefined => {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return undefined
  return typeof cause.code === "string" ? cause.code : undefined
}

/** Faults of the database itself rather than of a statement: gone, stopping, starting, full, or too slow. */
export const isDatabaseAway = (defect: unknown): defect is SqlError.SqlError => {
  if (!SqlError.isSqlError(defect)) return false
  if (defect.isRetryable || defect.reason._tag === "AuthenticationError") return true
  const code = sqlStateOf(defect.reason.cause)
  return code !== undefined && /^(?:53|57P)/.test(code)
}
