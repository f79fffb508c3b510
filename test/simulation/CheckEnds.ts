/** I3: everything has come to an end, and to one that its customer and its campaign allow. */
import type { Row, Say } from "./Checks.ts"
import { type Customer, customers, endsOf, type Fortunes } from "./Customers.ts"
import { CAMPAIGNS } from "./Merchants.ts"
import type { RealSessions } from "./RealSessions.ts"

const customerOf = ({ wallet_address }: Pick<Row, "wallet_address">): Customer => {
  const found = customers.find(({ address }) => address === wallet_address)
  if (found === undefined) throw new Error(`${wallet_address} is no customer of this run`)
  return found
}

/** Where a reward may end, unless its merchant takes it back. */
const allowedFor = (row: Row, fortunes: Fortunes): ReadonlySet<string> => {
  const campaign = CAMPAIGNS.find((one) => one.id === row.campaign_id)
  return endsOf(customerOf(row), campaign?.onMissingTrustline ?? "fail", fortunes)
}

const standOf = ({ payout, reason, status }: Row): string =>
  status === "confirmed" ? `${status} ${payout}` : reason === null ? status : `${status} ${reason}`

const standsWell = (row: Row, fortunes: Fortunes): boolean =>
  row.status === "cancelled" || allowedFor(row, fortunes).has(standOf(row))

export const checkEnds = (rows: ReadonlyArray<Row>, fortunes: Fortunes, say: Say): void => {
  for (const row of rows.filter((one) => !standsWell(one, fortunes))) {
    const allowed = [...allowedFor(row, fortunes)].join(" or ")
    say(
      `I3: ${row.idempotency_key} of a ${customerOf(row).kind} customer is ${standOf(row)}, not ${allowed} (${row.id})`,
    )
  }
}

/**
 * Whether every reward stands where it may end: one that is held for want of XLM is still to be left as a balance.
 * Balances that wait to be taken back count where it is said.
 */
export const isDrained = async (
  rows: ReadonlyArray<Row>,
  real: RealSessions,
  fortunes: Fortunes,
  countsBalances: boolean,
): Promise<boolean> => {
  const [rest] = await real.query(
    `
    SELECT (SELECT count(*) FROM stellar_envelopes WHERE status = 'signed')
      + (SELECT count(*) FROM upkeep_transactions WHERE status = 'signed')
      + (SELECT count(*) FROM channel_accounts WHERE status <> 'open')
      + (SELECT count(*) FROM claimable_balances WHERE status = 'open' AND $1::boolean) AS count`,
    [countsBalances],
  )
  return String(rest?.count) === "0" && rows.every((row) => standsWell(row, fortunes))
}
