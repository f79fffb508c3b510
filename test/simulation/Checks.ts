/**
 * What must hold in the end, between the ledger (read by LedgerBook), the database (read here), and what the merchants
 * were told (Orders). I1 to I5 and I7 are the design's invariants; each difference is one line.
 */
import { checkBalances } from "./CheckBalances.ts"
import { checkEnds } from "./CheckEnds.ts"
import type { Fortunes } from "./Customers.ts"
import type { LedgerBook, Paid } from "./LedgerBook.ts"
import { CAMPAIGNS } from "./Merchants.ts"
import { keyOf, type Order, type Orders } from "./Orders.ts"
import type { RealSessions } from "./RealSessions.ts"

export interface Row {
  readonly id: string
  readonly merchant_id: string
  readonly idempotency_key: string
  readonly campaign_id: string
  readonly wallet_address: string
  readonly wallet_account: string
  readonly amount_stroops: bigint
  readonly status: string
  readonly reason: string | null
  readonly tx_hash: string | null
  readonly ledger: bigint | null
  readonly operation_index: number | null
  readonly cap_period_start: Date | null
  readonly payout: string
}

export type Say = (difference: string) => void

/** I1, at any time: what has just been paid was ordered, by nobody twice, and not taken back. */
export const checkPaid = (
  paid: ReadonlyArray<Paid>,
  orders: Orders,
  isPaid: Map<string, string>,
  say: Say,
): void => {
  for (const { hashes, ledger, operationIndex, stroops, to } of paid) {
    const order = orders.ofAmount(stroops)
    const proof = `${hashes[0]?.slice(0, 8)}:${operationIndex} in ${ledger}`
    if (order === undefined) {
      say(`I2: ${proof} pays ${stroops} to ${to}, which nobody ordered`)
      continue
    }
    if (order.request.walletAddress !== to)
      say(`I2: ${proof} pays ${stroops} to ${to}, not where it was ordered to`)
    const before = isPaid.get(keyOf(order))
    if (before !== undefined) say(`I1: ${order.request.idempotencyKey} is paid twice: ${before}, ${proof}`)
    if (order.isCancelled) say(`I1: ${order.request.idempotencyKey} is paid after it was cancelled: ${proof}`)
    isPaid.set(keyOf(order), proof)
  }
}

/** I2: confirmed rows and payments of the ledger are the same, one to one. */
const checkProofs = (rows: ReadonlyArray<Row>, paid: ReadonlyArray<Paid>, say: Say): void => {
  const left = new Set(paid)
  for (const row of rows.filter(({ status }) => status === "confirmed")) {
    const match = [...left].find(
      (one) =>
        one.hashes.includes(row.tx_hash ?? "") &&
        one.operationIndex === row.operation_index &&
        BigInt(one.ledger) === row.ledger &&
        one.stroops === row.amount_stroops &&
        one.payout === row.payout &&
        [row.wallet_address, row.wallet_account].includes(one.to),
    )
    if (match === undefined)
      say(`I2: ${row.idempotency_key} is confirmed, but the ledger has no such payment`)
    else left.delete(match)
  }
  for (const one of left) {
    const row = rows.find(({ amount_stroops }) => amount_stroops === one.stroops)
    say(`I2: ${one.stroops} was paid in ledger ${one.ledger}, but its reward is ${row?.status ?? "unknown"}`)
  }
}

/** I3 and I5: what was answered is there, once, as it was asked for; what was refused is not. */
const checkOrders = (rows: ReadonlyArray<Row>, orders: Orders, say: Say): void => {
  const byKey = new Map(rows.map((row) => [`${row.merchant_id} ${row.idempotency_key}`, row]))
  const isSame = (order: Order, row: Row): boolean =>
    order.request.amountStroops === row.amount_stroops &&
    order.request.walletAddress === row.wallet_address &&
    order.request.campaignId === row.campaign_id
  for (const order of orders.all) {
    const row = byKey.get(keyOf(order))
    const name = order.request.idempotencyKey
    if (order.ids.size > 1) say(`I5: ${name} was answered with ${order.ids.size} ids`)
    for (const id of order.ids) if (row?.id !== id) say(`I3: ${name} was accepted as ${id} and is not there`)
    if (order.ids.size > 0 && row !== undefined && !isSame(order, row))
      say(`I5: ${name} is another reward than asked for`)
    if (order.refusals.has("IdempotencyKeyReused") && row !== undefined && isSame(order, row))
      say(`I5: ${name} was called a reused key, and is the one that holds it`)
    if (order.isCancelled && row?.status !== "cancelled")
      say(`I3: ${name} was cancelled and is ${row?.status}`)
    if (row?.status === "cancelled" && row.id === [...order.ids][0] && !order.wasCancelAsked)
      say(`I3: ${name} is cancelled, and nobody asked for that`)
    const isRefusedForGood = order.ids.size === 0 && order.refusals.size > 0 && !order.isUncertain
    if (isRefusedForGood && row !== undefined && isSame(order, row))
      say(`I5: ${name} was refused, and is there`)
  }
  for (const row of rows) {
    const asked = orders.byKey.get(`${row.merchant_id} ${row.idempotency_key}`) ?? []
    if (!asked.some((order) => isSame(order, row)))
      say(`I5: ${row.idempotency_key} is there, and nobody asked for it`)
  }
}

const sum = (rows: ReadonlyArray<Row>, ...statuses: ReadonlyArray<string>): bigint =>
  rows
    .filter(({ status }) => statuses.includes(status))
    .reduce((total, row) => total + row.amount_stroops, 0n)

/** I4: the books of budgets and caps are the sums of their rows. */
const checkBudgets = async (rows: ReadonlyArray<Row>, real: RealSessions, say: Say): Promise<void> => {
  const books = await real.query(
    "SELECT id, reserved_stroops, spent_stroops, budget_stroops FROM campaigns ORDER BY id",
  )
  const reclaimed = await real.query(
    "SELECT r.campaign_id, r.amount_stroops FROM claimable_balances b JOIN reward_issuances r ON r.id = b.issuance_id WHERE b.status = 'reclaimed'",
  )
  for (const book of books) {
    const its = rows.filter(({ campaign_id }) => campaign_id === book.id)
    const back = reclaimed
      .filter(({ campaign_id }) => campaign_id === book.id)
      .reduce((total, one) => total + BigInt(String(one.amount_stroops)), 0n)
    const reserved = sum(its, "pending", "submitted", "held")
    const spent = sum(its, "confirmed") - back
    if (book.reserved_stroops !== reserved)
      say(`I4: campaign ${book.id} reserves ${book.reserved_stroops}, its rows ${reserved}`)
    if (book.spent_stroops !== spent)
      say(`I4: campaign ${book.id} has spent ${book.spent_stroops}, its rows ${spent}`)
    const budget = CAMPAIGNS.find(({ id }) => id === book.id)?.budgetStroops ?? 0n
    if (reserved + spent > budget)
      say(`I4: campaign ${book.id} has promised ${reserved + spent} of ${budget}`)
  }
  await checkCaps(rows, real, say)
}

const checkCaps = async (rows: ReadonlyArray<Row>, real: RealSessions, say: Say): Promise<void> => {
  const usage = await real.query(
    "SELECT campaign_id, wallet_account, used_stroops FROM campaign_wallet_usage",
  )
  for (const { campaign_id, used_stroops, wallet_account } of usage) {
    const its = rows.filter((row) => row.campaign_id === campaign_id && row.wallet_account === wallet_account)
    const counted = sum(its, "pending", "submitted", "held", "confirmed")
    if (counted !== used_stroops)
      say(`I4: ${wallet_account} has used ${used_stroops} of a cap, its rows ${counted}`)
  }
  for (const { id, walletCapStroops } of CAMPAIGNS) {
    if (walletCapStroops === null) continue
    for (const wallet of new Set(rows.map((row) => row.wallet_account))) {
      const its = rows.filter((row) => row.campaign_id === id && row.wallet_account === wallet)
      const counted = sum(its, "pending", "submitted", "held", "confirmed")
      if (counted > walletCapStroops) say(`I4: ${wallet} got ${counted}, beyond its cap`)
    }
  }
}

const LEGAL: Readonly<Record<string, ReadonlyArray<string>>> = {
  "": ["pending"],
  pending: ["submitted", "held", "cancelled"],
  submitted: ["confirmed", "failed", "held", "pending"],
  held: ["pending", "cancelled", "failed"],
  confirmed: ["confirmed"],
}

/** Every row's history begins with its acceptance, has no gap, and ends where the row stands. */
const checkHistories = async (rows: ReadonlyArray<Row>, real: RealSessions, say: Say): Promise<void> => {
  const events = await real.query(
    "SELECT issuance_id, from_status, to_status FROM issuance_events ORDER BY id",
  )
  const at = new Map<string, string>()
  for (const event of events) {
    const id = String(event.issuance_id)
    const from = event.from_status === null ? "" : String(event.from_status)
    const to = String(event.to_status)
    if ((at.get(id) ?? "") !== from)
      say(`history: ${id} goes from ${from || "nothing"} where it was ${at.get(id)}`)
    if (!LEGAL[from]?.includes(to)) say(`history: ${id} goes from ${from} to ${to}`)
    at.set(id, to)
  }
  for (const row of rows) {
    if (at.get(row.id) !== row.status)
      say(`history: ${row.idempotency_key} is ${row.status}, its history ends ${at.get(row.id)}`)
  }
}

/** Nothing is left half done beside the rewards. */
const checkRest = async (real: RealSessions, say: Say): Promise<void> => {
  const count = async (what: string, sql: string): Promise<void> => {
    const [row] = await real.query(`SELECT count(*)::int AS count FROM ${sql}`)
    if (row?.count !== 0) say(`${what}: ${row?.count}`)
  }
  await count("envelopes without an end", "stellar_envelopes WHERE status = 'signed'")
  await count("upkeep transactions without an end", "upkeep_transactions WHERE status = 'signed'")
  await count("channels out of use", "channel_accounts WHERE status <> 'open'")
  await count("programs paused", "issuance_control WHERE paused_at IS NOT NULL")
}

const ROWS = `
  SELECT id, merchant_id, idempotency_key, campaign_id, wallet_address, wallet_account, amount_stroops, status, reason,
    tx_hash, ledger, operation_index, cap_period_start, payout
  FROM reward_issuances ORDER BY id`

export const readRows = async (real: RealSessions): Promise<ReadonlyArray<Row>> =>
  (await real.query(ROWS)) as unknown as ReadonlyArray<Row>

/** Everything, once nothing moves any more. */
export const checkAll = async (
  real: RealSessions,
  book: LedgerBook,
  orders: Orders,
  fortunes: Fortunes,
  say: Say,
): Promise<void> => {
  const rows = await readRows(real)
  checkProofs(rows, book.paid, say)
  checkOrders(rows, orders, say)
  checkEnds(rows, fortunes, say)
  await checkBalances(book, real, say)
  await checkBudgets(rows, real, say)
  await checkHistories(rows, real, say)
  await checkRest(real, say)
}
