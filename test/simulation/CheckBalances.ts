/**
 * I2 for claimable balances: each that the ledger shows is in the tables, each of the tables is on the ledger, and who
 * took it is who is said to have taken it.
 */
import type { Say } from "./Checks.ts"
import type { LedgerBook } from "./LedgerBook.ts"
import type { RealSessions } from "./RealSessions.ts"

/** A customer may have taken one that is not due yet: nobody has looked. */
const TAKEN = { open: [undefined, "customer"], claimed: ["customer"], reclaimed: ["treasury"] } as const

const isStatus = (text: string): text is keyof typeof TAKEN => text in TAKEN

export const checkBalances = async (book: LedgerBook, real: RealSessions, say: Say): Promise<void> => {
  const rows = await real.query(`
    SELECT b.balance_id, b.status, r.idempotency_key, r.amount_stroops FROM claimable_balances b
    JOIN reward_issuances r ON r.id = b.issuance_id`)
  const missing = new Map(book.balances)
  for (const row of rows) {
    const name = `the balance of ${row.idempotency_key}`
    const balance = missing.get(String(row.balance_id))
    missing.delete(String(row.balance_id))
    if (balance === undefined) {
      say(`I2: ${name} is not on the ledger, or in the tables twice`)
      continue
    }
    if (balance.stroops !== row.amount_stroops) say(`I2: ${name} is one of ${balance.stroops}`)
    const status = String(row.status)
    const allowed: ReadonlyArray<string | undefined> = isStatus(status) ? TAKEN[status] : []
    if (!allowed.includes(balance.takenBy))
      say(`I2: ${name} is ${status}, and was taken by ${balance.takenBy ?? "nobody"}`)
  }
  for (const { balanceId, stroops } of missing.values())
    say(`I2: a balance of ${stroops} is in no table: ${balanceId.slice(0, 16)}`)
}
