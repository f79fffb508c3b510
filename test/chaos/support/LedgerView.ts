/** What the ledger shows of the asset, read over Horizon alone, as any outsider could. */
import { Effect } from "effect"
import type { Demo } from "./NovaSystem.ts"

/** One successful payment operation of the asset. */
export interface LedgerPayment {
  /** "<transaction hash>:<0-based operation index>". */
  readonly operation: string
  readonly ledger: number
  readonly to: string
  /** As Horizon writes it: seven decimal places. */
  readonly amount: string
}

interface PaymentRecord {
  readonly id: string
  readonly type: string
  readonly paging_token: string
  readonly transaction_successful: boolean
  readonly transaction_hash: string
  readonly from?: string
  readonly to?: string
  readonly amount?: string
  readonly asset_code?: string
  readonly asset_issuer?: string
}

interface Page {
  readonly _embedded: { readonly records: ReadonlyArray<PaymentRecord> }
}

const readJson = <A>(url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(20_000) })
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as A
  })

/** SEP-35: the ledger in the upper 32 bits, the transaction's order in 20, the operation's place, from 1, in 12. */
const placeOf = (operationId: string) => ({
  ledger: Number(BigInt(operationId) >> 32n),
  index: Number(BigInt(operationId) & 0xfffn) - 1,
})

const RECORDS_PER_PAGE = 200

/** Every payment of the asset from the account, oldest first, to the last page. */
export const paymentsFrom = (
  { asset, horizonUrl }: Demo,
  from: string,
): Effect.Effect<ReadonlyArray<LedgerPayment>> =>
  Effect.gen(function* () {
    const payments: Array<LedgerPayment> = []
    let cursor = ""
    while (true) {
      const url = `${horizonUrl}/accounts/${from}/payments?order=asc&limit=${RECORDS_PER_PAGE}&cursor=${cursor}`
      const { records } = (yield* readJson<Page>(url))._embedded
      for (const record of records) {
        const isOurs =
          record.type === "payment" &&
          record.transaction_successful &&
          record.from === from &&
          `${record.asset_code}:${record.asset_issuer}` === asset
        if (!isOurs) continue
        const { index, ledger } = placeOf(record.id)
        const operation = `${record.transaction_hash}:${index}`
        payments.push({ operation, ledger, to: record.to ?? "", amount: record.amount ?? "" })
      }
      const last = records.at(-1)
      if (last === undefined) return payments
      cursor = last.paging_token
    }
  })

interface AccountRecord {
  readonly balances: ReadonlyArray<{
    readonly balance: string
    readonly asset_code?: string
    readonly asset_issuer?: string
  }>
}

/** The account's balance of the asset, "0.0000000" where it has no trustline. */
export const balanceOf = ({ asset, horizonUrl }: Demo, address: string): Effect.Effect<string> =>
  Effect.map(readJson<AccountRecord>(`${horizonUrl}/accounts/${address}`), ({ balances }) => {
    const line = balances.find((entry) => `${entry.asset_code}:${entry.asset_issuer}` === asset)
    return line?.balance ?? "0.0000000"
  })

/** Waits until Horizon shows a ledger that it did not show before; they close every second. */
export const awaitNextLedger = ({ horizonUrl }: Demo): Effect.Effect<void> =>
  Effect.gen(function* () {
    const latest = Effect.map(
      readJson<{ readonly history_latest_ledger: number }>(`${horizonUrl}/`),
      (root) => root.history_latest_ledger,
    )
    const before = yield* latest
    while ((yield* latest) === before) yield* Effect.sleep(10)
  })
