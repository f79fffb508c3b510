/**
 * A transaction as Horizon shows it, read for what it pays of our asset out of the distribution account. Pure.
 *
 * Of a fee bump (CAP-15) everything but the fee's payer is the inner transaction's: its source and sequence are what
 * was consumed, its operations are what was paid.
 *
 * Sources: Stellar-transaction.x; CAP-21 (ledger bounds); CAP-23 (claimable balances and their ids)
 */
import { createHash } from "node:crypto"
import { Asset, encodeMuxedAccountToAddress, StrKey, xdr } from "@stellar/stellar-sdk"
import { Option } from "effect"
import { reclaimTimeOf } from "../issuance/PaymentTransaction.ts"
import { accountOf } from "../kernel/StellarAddress.ts"
import type { HorizonTransaction } from "../ports/Horizon.ts"

/** One operation that pays somebody of our asset. */
export interface LedgerPayment {
  readonly operationIndex: number
  /** G... or M... */
  readonly walletAddress: string
  /** The account behind it, G... */
  readonly walletAccount: string
  readonly amountStroops: bigint
  /** Undefined for a plain payment. */
  readonly balance: LedgerBalance | undefined
}

/** A claimable balance that an operation made. */
export interface LedgerBalance {
  /** ClaimableBalanceID, hex XDR, as Horizon writes it. */
  readonly balanceId: string
  /** When the distribution account may take it back; undefined where it may not. */
  readonly reclaimAfter: Date | undefined
}

export interface LedgerTransaction {
  readonly pagingToken: string
  /** Hex; of a fee bump the outer one. */
  readonly hash: string
  /** Of a fee bump the transaction inside. */
  readonly innerHash: string | undefined
  /** Who pays for a fee bump, G...; undefined where it is none. */
  readonly feeSource: string | undefined
  readonly ledger: number
  readonly successful: boolean
  /** Whose sequence it consumed, G... */
  readonly source: string
  readonly sequence: bigint
  /** Hex; undefined where the memo is no hash. */
  readonly memoHash: string | undefined
  /** Most that it was ready to pay, stroops of XLM; of a fee bump the outer fee. */
  readonly feeStroopsMax: bigint
  /** Exclusive; undefined where it has no upper ledger bound. */
  readonly ledgerMax: number | undefined
  readonly operations: number
  readonly payments: ReadonlyArray<LedgerPayment>
  /** ClaimableBalanceIDs (hex XDR) that it claims for the distribution account. */
  readonly claims: ReadonlyArray<string>
  readonly envelopeXdr: string
  readonly resultXdr: string
}

/** Whose payments are read. */
export interface Payer {
  readonly distributionAddress: string
  readonly assetCode: string
  readonly assetIssuer: string
}

const addressOf = (account: xdr.MuxedAccount): string => encodeMuxedAccountToAddress(account)

/** getBalanceID: SHA-256 over the operation's id, behind the id's type, which is zero (CAP-23). */
const balanceIdOf = (source: string, sequence: bigint, operationIndex: number): string => {
  const preimage = xdr.HashIdPreimage.envelopeTypeOpId(
    new xdr.HashIdPreimageOperationId({
      sourceAccount: xdr.PublicKey.publicKeyTypeEd25519(StrKey.decodeEd25519PublicKey(source)),
      seqNum: sequence,
      opNum: operationIndex,
    }),
  )
  return `00000000${createHash("sha256").update(preimage.toXDR()).digest("hex")}`
}

interface Position {
  readonly source: string
  readonly sequence: bigint
  readonly operationIndex: number
}

const balancePayment = (
  operation: xdr.CreateClaimableBalanceOp,
  position: Position,
  payer: Payer,
): LedgerPayment | undefined => {
  const claimants = operation.claimants.map(({ v0 }) => ({
    account: StrKey.encodeEd25519PublicKey(v0.destination.ed25519.toBytes()),
    predicate: v0.predicate,
  }))
  const recipient = claimants.find(({ account }) => account !== payer.distributionAddress)
  const ours = claimants.find(({ account }) => account === payer.distributionAddress)
  if (recipient === undefined) return undefined
  return {
    operationIndex: position.operationIndex,
    walletAddress: recipient.account,
    walletAccount: recipient.account,
    amountStroops: operation.amount,
    balance: {
      balanceId: balanceIdOf(position.source, position.sequence, position.operationIndex),
      reclaimAfter: ours === undefined ? undefined : reclaimTimeOf(ours.predicate),
    },
  }
}

const paymentOf = (body: xdr.OperationBody, position: Position, payer: Payer): LedgerPayment | undefined => {
  const isOurs = (asset: xdr.Asset) =>
    Asset.fromOperation(asset).equals(new Asset(payer.assetCode, payer.assetIssuer))
  if (body.type === "payment" && isOurs(body.paymentOp.asset)) {
    const walletAddress = addressOf(body.paymentOp.destination)
    const walletAccount = accountOf(walletAddress)
    const { operationIndex } = position
    const amountStroops = body.paymentOp.amount
    return { operationIndex, walletAddress, walletAccount, amountStroops, balance: undefined }
  }
  if (body.type === "createClaimableBalance" && isOurs(body.createClaimableBalanceOp.asset)) {
    return balancePayment(body.createClaimableBalanceOp, position, payer)
  }
  return undefined
}

const ledgerMaxOf = ({ cond }: xdr.Transaction): number | undefined => {
  const maxLedger = cond.type === "precondV2" ? cond.v2.ledgerBounds?.maxLedger : undefined
  // Zero means that there is no bound (CAP-21).
  return maxLedger === 0 ? undefined : maxLedger
}

const envelopeOf = (envelopeXdr: string): xdr.TransactionEnvelope | undefined => {
  try {
    return xdr.TransactionEnvelope.fromXDR(envelopeXdr, "base64")
  } catch {
    return undefined
  }
}

/** Undefined for bytes that are no transaction of today's form (V1): none of ours ever was another one. */
export const readLedgerTransaction = (
  record: HorizonTransaction,
  payer: Payer,
): LedgerTransaction | undefined => {
  const envelope = envelopeOf(record.envelopeXdr)
  if (envelope === undefined || envelope.type === "envelopeTypeTxV0") return undefined
  const bump = envelope.type === "envelopeTypeTxFeeBump" ? envelope.feeBump.tx : undefined
  const tx = envelope.type === "envelopeTypeTxFeeBump" ? envelope.feeBump.tx.innerTx.v1.tx : envelope.v1.tx
  const source = accountOf(addressOf(tx.sourceAccount))
  const ours = tx.operations.flatMap(({ body, sourceAccount }, operationIndex) => {
    const from = sourceAccount === null ? source : accountOf(addressOf(sourceAccount))
    return from === payer.distributionAddress ? [{ body, operationIndex }] : []
  })
  const payments = ours.flatMap(({ body, operationIndex }) => {
    const payment = paymentOf(body, { source, sequence: tx.seqNum, operationIndex }, payer)
    return payment === undefined ? [] : [payment]
  })
  const claims = ours.flatMap(({ body }) =>
    body.type === "claimClaimableBalance" ? [body.claimClaimableBalanceOp.balanceId.toXDR("hex")] : [],
  )
  return {
    pagingToken: record.pagingToken,
    hash: record.hash,
    innerHash: Option.getOrUndefined(record.innerHash),
    feeSource: bump === undefined ? undefined : accountOf(addressOf(bump.feeSource)),
    ledger: record.ledger,
    successful: record.successful,
    source,
    sequence: tx.seqNum,
    memoHash: tx.memo.type === "memoHash" ? Buffer.from(tx.memo.hash.toBytes()).toString("hex") : undefined,
    feeStroopsMax: bump === undefined ? BigInt(tx.fee) : bump.fee,
    ledgerMax: ledgerMaxOf(tx),
    operations: tx.operations.length,
    payments,
    claims,
    envelopeXdr: record.envelopeXdr,
    resultXdr: record.resultXdr,
  }
}
