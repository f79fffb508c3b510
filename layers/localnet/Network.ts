/**
 * The embedded Stellar network as its servers and direct layers see it.
 *
 * The engine (`ledger/`, `queue/`, `store/`) implements this interface; `rpc/` and `horizon/` only read it,
 * so Stellar RPC, Horizon and the socketless layers can never disagree about what happened.
 *
 * Invariant: what this interface shows is durable. `closeLedger` appends the ledger to the ledger file and
 * fsyncs it before any reader can see it; a kill -9 at any point loses pending transactions at most, as a
 * real node's restart does.
 *
 * Amounts are stroops (bigint), times are Unix seconds (bigint in XDR, number here), hashes are lower-case
 * hex, XDR is base64. Nothing here is shared with the product: see docs/adr/0002-embedded-network.md.
 */
import type { xdr } from "@stellar/stellar-sdk"

export interface NetworkSettings {
  readonly passphrase: string
  /** Protocol version written into ledger headers. */
  readonly protocolVersion: number
  /** Classic operations a ledger holds at most: 1,000 on the public network, 200 on testnet. */
  readonly operationsPerLedgerMax: number
  readonly closeIntervalMs: number
  readonly baseFeeStroops: number
  readonly baseReserveStroops: number
  /** Ledgers whose transactions and headers stay readable; older ones answer as out of retention. */
  readonly retentionLedgers: number
}

/** A closed ledger. */
export interface ClosedLedger {
  readonly sequence: number
  readonly hash: string
  readonly previousHash: string
  readonly closeTime: number
  /** LedgerHeader, base64. */
  readonly headerXdr: string
  readonly header: xdr.LedgerHeader
  /** In application order. */
  readonly transactions: ReadonlyArray<AppliedTransaction>
  readonly successfulTransactions: number
  readonly failedTransactions: number
  /** Operations of successful transactions, as Horizon's `operation_count`. */
  readonly operations: number
}

/** A transaction that was included in a closed ledger, successful or not. */
export interface AppliedTransaction {
  /** Hash of the envelope that was included (the fee bump's hash for a fee bump). */
  readonly hash: string
  /** The inner transaction's hash when the envelope is a fee bump. */
  readonly innerHash?: string
  readonly ledger: number
  /** 1-based, as in RPC's `applicationOrder` and in TOIDs. */
  readonly applicationOrder: number
  readonly closeTime: number
  readonly successful: boolean
  readonly feeChargedStroops: bigint
  readonly envelopeXdr: string
  /** TransactionResult, base64. */
  readonly resultXdr: string
  /** TransactionMeta, base64. */
  readonly resultMetaXdr: string
  /** LedgerEntryChanges of the fee phase, base64. */
  readonly feeMetaXdr: string
  readonly envelope: xdr.TransactionEnvelope
  readonly result: xdr.TransactionResult
  /** G addresses whose entries this transaction read or wrote as a participant (Horizon's meaning). */
  readonly participants: ReadonlyArray<string>
}

/** What the transaction queue answered to a submission; the statuses are those of RPC's sendTransaction. */
export type Submission =
  | { readonly status: "PENDING" | "DUPLICATE" | "TRY_AGAIN_LATER"; readonly hash: string }
  | {
      readonly status: "ERROR"
      readonly hash: string
      readonly resultXdr: string
      readonly result: xdr.TransactionResult
    }

export interface StoredEntry {
  readonly entry: xdr.LedgerEntry
  readonly lastModifiedLedger: number
}

/**
 * What the other nodes agreed on beside this node's own queue. There are no other nodes here: injected faults
 * (`faults/`) speak for them, within what consensus may do.
 */
export interface Agreed {
  /** Waiting transactions, by envelope hash, that this ledger leaves out although they are valid. */
  readonly leaveOut: (hash: string) => boolean
  /** Envelopes (base64) out of other nodes' queues: taken, where valid, in place of our own of that source. */
  readonly bring: ReadonlyArray<string>
}

/** The envelope is not base64, not XDR, or not a transaction: RPC -32602, Horizon 400 transaction_malformed. */
export class MalformedEnvelope extends Error {}

export interface Network {
  readonly settings: NetworkSettings
  /** SHA-256 of the passphrase, hex. */
  readonly networkId: string
  /** The root account that friendbot pays from: the key pair seeded by SHA-256 of the passphrase. */
  readonly rootAddress: string
  readonly latest: () => ClosedLedger
  /** Lowest ledger still readable. */
  readonly oldestLedger: () => number
  readonly ledger: (sequence: number) => ClosedLedger | undefined
  /** By the envelope's hash, or by the inner hash of an included fee bump. */
  readonly transaction: (hash: string) => AppliedTransaction | undefined
  /** The entry under a LedgerKey as of `latest()`, or undefined. */
  readonly entry: (key: xdr.LedgerKey) => StoredEntry | undefined
  /** All trustlines of an account as of `latest()`, ordered by asset. */
  readonly trustlines: (address: string) => ReadonlyArray<StoredEntry>
  /** All data entries of an account as of `latest()`, ordered by name. */
  readonly dataEntries: (address: string) => ReadonlyArray<StoredEntry>
  /** Every entry of a kind as of `latest()`, in no order: for the few collections that are not an account's. */
  readonly entriesOf: (
    kind: "account" | "trustline" | "data" | "claimableBalance",
  ) => ReadonlyArray<StoredEntry>
  /** Transactions in which the address took part, ascending by (ledger, applicationOrder), within retention. */
  readonly transactionsOf: (address: string) => ReadonlyArray<AppliedTransaction>
  /** Validates and queues. @throws MalformedEnvelope */
  readonly submit: (envelopeXdr: string) => Submission
  /** Transactions waiting for the next ledger. */
  readonly pendingCount: () => number
  /**
   * Closes the next ledger at `closeTime` (Unix seconds; raised to the previous ledger's + 1 where it is not
   * above it, as consensus demands), makes it durable, then visible.
   */
  readonly closeLedger: (closeTime: number, agreed?: Agreed) => ClosedLedger
  /** Called after each close, in order; returns the unsubscriber. */
  readonly onClose: (listener: (ledger: ClosedLedger) => void) => () => void
  /** Envelope (base64) of a signed friendbot transaction for the address; the caller submits it. */
  readonly friendbot: (address: string) => string
}
