/**
 * `nova reconcile`: every reward's payment on the ledger against the confirmed rows, one to one and to the stroop.
 *
 * The distribution account's transactions are read from Horizon page by page, so memory does not grow with the ledger.
 *
 * What is in flight is no difference. The cut is the ledger L that Horizon has finished when the reading begins:
 * payments after it are not looked at, and neither are rows that were confirmed after it. A payment up to L without a
 * row is in flight while its envelope is stored and not settled, since a worker will settle it; the database is asked
 * after the ledger, in one statement, so a payment cannot lose its envelope and not yet have its row.
 *
 * The other way round goes by envelopes: one that has applied up to L must be among the transactions of its ledger.
 * Rows whose proof is no applied envelope at all are found in the database alone (ReconcileBooks.ts).
 */
import { Effect, Option, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { Channels } from "../issuance/Channels.ts"
import { IssuanceSettings } from "../issuance/IssuanceSettings.ts"
import { Horizon } from "../ports/Horizon.ts"
import { Signer } from "../ports/Signer.ts"
import { cursorOfLedger } from "./ChannelHistory.ts"
import { type LedgerTransaction, readLedgerTransaction } from "./LedgerTransaction.ts"
import { type Difference, reconcileBooks } from "./ReconcileBooks.ts"
import { comparePage, hashesIn, lostEnvelopes, type PageAccount } from "./ReconcilePage.ts"

export interface ReconcileOptions {
  /** Nothing before this ledger is compared; where undefined, from the first ledger that the database knows. */
  readonly sinceLedger: number | undefined
  readonly say: (line: string) => Effect.Effect<void>
}

export interface ReconcileReport extends Omit<PageAccount, "differences"> {
  readonly sinceLedger: number
  /** The cut: the ledger up to which was compared. */
  readonly ledger: number
  /** Transactions of the ledger that were read, failed ones too. */
  readonly transactions: number
  /** The first ones, DIFFERENCES_MAX at most. */
  readonly differences: ReadonlyArray<Difference>
  readonly differencesTotal: number
}

/** Differences that are kept for the report; all are counted. */
export const DIFFERENCES_MAX = 1_000

const PAGE = 100
const SAY_EVERY_PAGES = 50

const backoff = Schedule.max([Schedule.exponential("500 millis"), Schedule.recurs(6)])

const makeAccount = () => {
  const sums = { equal: 0, inFlight: 0, dismissed: 0, outside: 0, transactions: 0, differencesTotal: 0 }
  const differences: Array<Difference> = []
  let equalStroops = 0n
  let outsideStroops = 0n
  const note = (found: ReadonlyArray<Difference>) => {
    sums.differencesTotal += found.length
    differences.push(...found.slice(0, DIFFERENCES_MAX - differences.length))
  }
  const add = (page: PageAccount, transactions: number) => {
    sums.transactions += transactions
    for (const key of ["equal", "inFlight", "dismissed", "outside"] as const) sums[key] += page[key]
    equalStroops += page.equalStroops
    outsideStroops += page.outsideStroops
    note(page.differences)
  }
  return { add, note, report: () => ({ ...sums, equalStroops, outsideStroops, differences }) }
}

/** The first ledger that the database saw, or paid in: a restored one may have lost the former. */
const firstKnownLedger = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ ledger: number | null }>`
    SELECT least(
      (SELECT first_ledger FROM network_identity),
      (SELECT min(ledger) FROM stellar_envelopes WHERE status = 'applied'),
      (SELECT min(ledger) FROM unmatched_payments))::int AS ledger`
  return row?.ledger ?? 1
}).pipe(Effect.orDie)

/** Reads the ledger's transactions from `sinceLedger` up to `ledger` and hands them over page by page. */
const forEachPage = Effect.fn("Reconcile.forEachPage")(function* <E, R>(
  span: { readonly sinceLedger: number; readonly ledger: number },
  f: (
    page: ReadonlyArray<LedgerTransaction>,
    /** Up to here every transaction has been handed over, this page included. */
    completeUpTo: number,
  ) => Effect.Effect<void, E, R>,
) {
  const horizon = yield* Horizon
  const { assetCode, assetIssuer } = yield* IssuanceSettings
  const { distributionAddress } = yield* Signer
  const payer = { assetCode, assetIssuer, distributionAddress }
  let cursor = cursorOfLedger(span.sinceLedger)
  while (true) {
    const records = yield* horizon
      .transactions(distributionAddress, { cursor: Option.some(cursor), limit: PAGE, order: "asc" })
      .pipe(Effect.retry({ schedule: backoff, while: (error) => error.retry === "backoff" }))
    const last = records.at(-1)
    const isEnd = last === undefined || last.ledger > span.ledger
    const page = records
      .filter(({ ledger }) => ledger <= span.ledger)
      .flatMap((record) => readLedgerTransaction(record, payer) ?? [])
    // More of the last ledger may come with the next page.
    yield* f(page, isEnd ? span.ledger : last.ledger - 1)
    if (isEnd) return
    cursor = last.pagingToken
  }
})

/**
 * Compares ledger and database.
 *
 * @error HorizonError when Horizon gives no answer after several attempts
 */
export const reconcile = Effect.fn("Reconcile.reconcile")(function* (options: ReconcileOptions) {
  const horizon = yield* Horizon
  const ledger = (yield* horizon.root).latestLedger
  const sinceLedger = options.sinceLedger ?? (yield* firstKnownLedger)
  const channels = new Set((yield* Channels.use(({ list }) => list)).map(({ address }) => address))
  const account = makeAccount()
  let ledgerAbove = sinceLedger - 1
  let unchecked: ReadonlyArray<LedgerTransaction> = []
  let pages = 0
  yield* forEachPage({ sinceLedger, ledger }, (page, completeUpTo) =>
    Effect.gen(function* () {
      account.add(yield* comparePage(page, channels), page.length)
      unchecked = [...unchecked, ...page]
      if (completeUpTo > ledgerAbove) {
        account.note(yield* lostEnvelopes({ ledgerAbove, ledgerUpTo: completeUpTo }, hashesIn(unchecked)))
        ledgerAbove = completeUpTo
        unchecked = unchecked.filter((transaction) => transaction.ledger > completeUpTo)
      }
      pages += 1
      if (pages % SAY_EVERY_PAGES === 0) yield* options.say(`read up to ledger ${completeUpTo} of ${ledger}`)
    }),
  )
  yield* options.say("comparing the books with themselves")
  account.note(yield* reconcileBooks())
  return { sinceLedger, ledger, ...account.report() } satisfies ReconcileReport as ReconcileReport
})
