/**
 * What the ledger says was paid, read by this simulation alone: with the SDK, from the envelopes of closed ledgers,
 * sharing no code with the programs. Every reward of a run has an amount of its own, so a payment is known by it.
 */
import { FeeBumpTransaction, TransactionBuilder } from "@stellar/stellar-sdk"
import type { ClosedLedger } from "../../layers/localnet/Network.ts"
import { asset, distribution, issuer, PASSPHRASE } from "../support/TestNetwork.ts"

/** An operation that moved the asset out of the treasury to a customer. */
export interface Paid {
  readonly ledger: number
  /** Of the transaction as it was included, and of the one inside where it is a fee bump. */
  readonly hashes: ReadonlyArray<string>
  readonly operationIndex: number
  readonly to: string
  readonly stroops: bigint
}

/** One of the programs' transactions that the ledger took the fee of, and nothing else. */
export interface Refused {
  readonly ledger: number
  readonly hash: string
  /** Types of the operations' results: "paymentUnderfunded". */
  readonly results: ReadonlyArray<string>
}

const stroopsOf = (amount: string): bigint => BigInt(amount.replace(".", ""))

const treasury = distribution.publicKey()

const resultTypes = (result: unknown): ReadonlyArray<string> =>
  [
    ...JSON.stringify(result, (_, value) => (typeof value === "bigint" ? String(value) : value)).matchAll(
      /"type":"(\w+)"/g,
    ),
  ].map(([, type = ""]) => type)

export const makeLedgerBook = () => {
  const paid: Array<Paid> = []
  const refused: Array<Refused> = []

  const read = (ledger: ClosedLedger): ReadonlyArray<Paid> => {
    const found: Array<Paid> = []
    for (const { envelopeXdr, hash, innerHash, participants, result, successful } of ledger.transactions) {
      if (!participants.includes(treasury)) continue
      const decoded = TransactionBuilder.fromXDR(envelopeXdr, PASSPHRASE)
      const transaction = decoded instanceof FeeBumpTransaction ? decoded.innerTransaction : decoded
      if (!successful) {
        refused.push({
          ledger: ledger.sequence,
          hash,
          results: resultTypes(result),
        })
        continue
      }
      for (const [operationIndex, operation] of transaction.operations.entries()) {
        if ((operation.source ?? transaction.source) !== treasury) continue
        const base = {
          ledger: ledger.sequence,
          hashes: [hash, ...(innerHash ? [innerHash] : [])],
          operationIndex,
        }
        if (
          operation.type === "payment" &&
          operation.asset.equals(asset) &&
          operation.destination !== issuer.publicKey()
        ) {
          found.push({
            ...base,
            to: operation.destination,
            stroops: stroopsOf(operation.amount),
          })
        }
        if (operation.type === "createClaimableBalance") {
          const to = operation.claimants[0]?.destination ?? ""
          found.push({ ...base, to, stroops: stroopsOf(operation.amount) })
        }
      }
    }
    paid.push(...found)
    return found
  }
  return { read, paid, refused }
}

export type LedgerBook = ReturnType<typeof makeLedgerBook>
