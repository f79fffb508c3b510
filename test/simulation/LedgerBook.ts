/**
 * What the ledger says was paid, read by this simulation alone: with the SDK, from the envelopes of closed ledgers,
 * sharing no code with the programs. Every reward of a run has an amount of its own, so a payment is known by it.
 */
import { FeeBumpTransaction, type Transaction, TransactionBuilder, xdr } from "@stellar/stellar-sdk"
import type { AppliedTransaction, ClosedLedger } from "../../layers/localnet/Network.ts"
import { asset, distribution, issuer, PASSPHRASE } from "../support/TestNetwork.ts"

/** An operation that moved the asset out of the treasury to a customer. */
export interface Paid {
  readonly ledger: number
  /** Of the transaction as it was included, and of the one inside where it is a fee bump. */
  readonly hashes: ReadonlyArray<string>
  readonly operationIndex: number
  readonly to: string
  readonly stroops: bigint
  readonly payout: "payment" | "claimable_balance"
}

/** A claimable balance that the treasury made of our asset. */
export interface Balance {
  /** ClaimableBalanceID, hex XDR (CAP-23). */
  readonly balanceId: string
  readonly to: string
  readonly stroops: bigint
  takenBy: "customer" | "treasury" | undefined
}

const stroopsOf = (amount: string): bigint => BigInt(amount.replace(".", ""))

const treasury = distribution.publicKey()

type Decoded = Transaction["operations"][number]

/** Undefined for what moves nothing of our asset to a customer. */
const rewardOf = (operation: Decoded): Pick<Paid, "to" | "stroops" | "payout"> | undefined => {
  if (operation.type === "payment" && operation.asset.equals(asset)) {
    const { amount, destination: to } = operation
    return to === issuer.publicKey() ? undefined : { to, stroops: stroopsOf(amount), payout: "payment" }
  }
  if (operation.type === "createClaimableBalance" && operation.asset.equals(asset)) {
    // One for the customer, at any time; one for ourselves, later.
    const [first, ...others] = operation.claimants.map(({ destination }) => destination)
    const to = others.length === 1 && others[0] === treasury ? (first ?? "") : "other claimants than agreed"
    return { to, stroops: stroopsOf(operation.amount), payout: "claimable_balance" }
  }
  return undefined
}

/** Of a transaction as it was included: the one that it is, or that its fee bump wraps. */
const decode = ({ envelopeXdr }: AppliedTransaction): Transaction => {
  const decoded = TransactionBuilder.fromXDR(envelopeXdr, PASSPHRASE)
  return decoded instanceof FeeBumpTransaction ? decoded.innerTransaction : decoded
}

const isUnderfunded = (result: xdr.OperationResult): boolean => {
  if (result.type !== "opInner") return false
  const { value } = result
  if (value.type === "payment") return value.paymentResult.type === "paymentUnderfunded"
  return (
    value.type === "createClaimableBalance" &&
    value.createClaimableBalanceResult.type === "createClaimableBalanceUnderfunded"
  )
}

/** Whether it was to pay rewards, and the treasury did not have as much. */
const lacksMoney = (included: AppliedTransaction): boolean => {
  if (included.successful || !decode(included).operations.some((operation) => rewardOf(operation)))
    return false
  const { result } = xdr.TransactionResult.fromXDR(included.resultXdr, "base64")
  const inner = result.type === "txFeeBumpInnerFailed" ? result.innerResultPair.result.result : result
  return inner.type === "txFailed" && inner.results.some(isUnderfunded)
}

export const makeLedgerBook = () => {
  const paid: Array<Paid> = []
  const balances = new Map<string, Balance>()

  const readClaims = ({ operations, source }: Transaction): void => {
    for (const operation of operations) {
      if (operation.type !== "claimClaimableBalance") continue
      const balance = balances.get(operation.balanceId)
      if (balance !== undefined)
        balance.takenBy = (operation.source ?? source) === treasury ? "treasury" : "customer"
    }
  }

  const readRewards = (
    transaction: Transaction,
    base: Pick<Paid, "ledger" | "hashes">,
  ): ReadonlyArray<Paid> =>
    transaction.operations.flatMap((operation, operationIndex) => {
      const reward = (operation.source ?? transaction.source) === treasury ? rewardOf(operation) : undefined
      if (reward?.payout === "claimable_balance") {
        const balanceId = transaction.getClaimableBalanceId(operationIndex)
        balances.set(balanceId, { balanceId, to: reward.to, stroops: reward.stroops, takenBy: undefined })
      }
      return reward === undefined ? [] : [{ ...base, ...reward, operationIndex }]
    })

  const read = (ledger: ClosedLedger): ReadonlyArray<Paid> => {
    const found: Array<Paid> = []
    for (const included of ledger.transactions) {
      if (!included.successful) continue
      const { hash, innerHash } = included
      const transaction = decode(included)
      const hashes = [hash, ...(innerHash ? [innerHash] : [])]
      found.push(...readRewards(transaction, { ledger: ledger.sequence, hashes }))
      readClaims(transaction)
    }
    paid.push(...found)
    return found
  }

  /** Transactions of a ledger that were to pay rewards without as much in the treasury. */
  const lacking = ({ transactions }: ClosedLedger): ReadonlyArray<AppliedTransaction> =>
    transactions.filter(lacksMoney)

  return { read, lacking, paid, balances }
}

export type LedgerBook = ReturnType<typeof makeLedgerBook>
