/** I3: everything has come to an end, and to one that its customer and its campaign allow. */
import type { Row, Say } from "./Checks.ts"
import { type Customer, customers, endsOf, type Fortunes, isPayableInTheEnd } from "./Customers.ts"
import { CAMPAIGNS } from "./Merchants.ts"
import type { RealSessions } from "./RealSessions.ts"

const customerOf = ({ wallet_address }: Pick<Row, "wallet_address">): Customer => {
  const found = customers.find(({ address }) => address === wallet_address)
  if (found === undefined) throw new Error(`${wallet_address} is no customer of this run`)
  return found
}

export const checkEnds = (rows: ReadonlyArray<Row>, fortunes: Fortunes, say: Say): void => {
  for (const row of rows) {
    const { campaign_id, id, idempotency_key, payout, reason, status } = row
    if (status === "pending" || status === "submitted")
      say(`I3: ${idempotency_key} (${id}) is still ${status}`)
    if (!["confirmed", "failed", "held"].includes(status)) continue
    const campaign = CAMPAIGNS.find((one) => one.id === campaign_id)
    const customer = customerOf(row)
    const end = `${status} ${status === "confirmed" ? payout : reason}`
    const allowed: ReadonlySet<string> = endsOf(customer, campaign?.onMissingTrustline ?? "fail", fortunes)
    if (!allowed.has(end))
      say(`I3: ${idempotency_key} of a ${customer.kind} customer is ${end}, not ${[...allowed].join(" or ")}`)
  }
}

/** Whether anything of these rewards still moves; balances that wait to be taken back count where it is said. */
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
  return (
    String(rest?.count) === "0" &&
    rows.every(
      (row) =>
        row.status !== "pending" &&
        row.status !== "submitted" &&
        (row.status !== "held" || !isPayableInTheEnd(customerOf(row), fortunes)),
    )
  )
}
