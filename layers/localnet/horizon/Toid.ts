/**
 * Total order ids (SEP-35): one signed 64-bit integer that orders ledgers, transactions and operations.
 * 32 bits of ledger sequence, 20 bits of 1-based application order, 12 bits of 1-based operation index;
 * 0 in a lower part means the ledger, or the transaction, as a whole.
 */
export interface ToidParts {
  readonly ledger: number
  readonly transaction: number
  readonly operation: number
}

const TRANSACTION_BITS = 20n
const OPERATION_BITS = 12n
const LEDGER_SHIFT = TRANSACTION_BITS + OPERATION_BITS
const TRANSACTION_MAX = (1n << TRANSACTION_BITS) - 1n
const OPERATION_MAX = (1n << OPERATION_BITS) - 1n

export const toid = (ledger: number, transaction = 0, operation = 0): bigint =>
  (BigInt(ledger) << LEDGER_SHIFT) | (BigInt(transaction) << OPERATION_BITS) | BigInt(operation)

export const parseToid = (id: bigint): ToidParts => ({
  ledger: Number(id >> LEDGER_SHIFT),
  transaction: Number((id >> OPERATION_BITS) & TRANSACTION_MAX),
  operation: Number(id & OPERATION_MAX),
})

/** Above every id of the ledger, below the next ledger's: what the cursor `now` stands for. */
export const toidAfterLedger = (ledger: number): bigint =>
  toid(ledger, Number(TRANSACTION_MAX), Number(OPERATION_MAX))
