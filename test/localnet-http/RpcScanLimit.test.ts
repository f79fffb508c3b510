import { expect, test } from "bun:test"
import { getTransactions } from "../../layers/localnet/rpc/Transactions.ts"
import { openTestNetwork } from "../localnet/TestNetwork.ts"

// stellar-rpc: methods.LedgerScanLimit = 10000 bounds what one call of getTransactions walks.
const SCAN_LIMIT = 10_000

test("an empty page in the middle of a long quiet is not the end: its cursor has gone 10,000 ledgers on", () => {
  const { network, fundOne, close } = openTestNetwork()
  const start = network.latest().sequence + 1
  for (let at = 0; at < SCAN_LIMIT; at++) close(1)
  fundOne()
  const reads: Array<number> = []
  const counted = {
    ...network,
    ledger: (sequence: number) => {
      reads.push(sequence)
      return network.ledger(sequence)
    },
  }
  const first = getTransactions(counted, { startLedger: start })
  expect(first.transactions).toEqual([])
  expect(BigInt(first.cursor)).toBe((BigInt(start + SCAN_LIMIT - 1) << 32n) | 1n)
  // One more is the oldest ledger, whose close time the answer tells.
  expect(reads.length).toBeLessThanOrEqual(SCAN_LIMIT + 1)
  const second = getTransactions(counted, { pagination: { cursor: first.cursor } })
  expect(second.transactions.map(({ ledger }) => ledger)).toEqual([start + SCAN_LIMIT])
})
