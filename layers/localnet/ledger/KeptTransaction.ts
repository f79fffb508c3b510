/**
 * A transaction of a closed ledger as it is kept for readers. Its XDR is built on first use: most
 * transactions' meta is never asked for.
 */
import { xdr } from "@stellar/stellar-sdk"
import type { AppliedTransaction } from "../Network.ts"
import type { IncludedTransaction } from "./CloseLedger.ts"
import { addressOf, base64Of } from "./Codec.ts"
import type { AccountKey } from "./Entries.ts"
import { feeMetaBytes, metaBytes } from "./Meta.ts"
import { participantsOf } from "./Participants.ts"

/** What a snapshot holds of a transaction. */
export interface TransactionBytes {
  readonly hash: string
  readonly innerHash: string | undefined
  readonly successful: boolean
  readonly feeCharged: bigint
  readonly envelope: Uint8Array
  readonly result: Uint8Array
  readonly meta: Uint8Array
  readonly feeMeta: Uint8Array
  readonly participants: ReadonlyArray<AccountKey>
  /** Of the inner transaction when it is a fee bump. */
  readonly operations: number
}

export interface KeptTransaction {
  readonly view: AppliedTransaction
  readonly operations: number
  readonly participants: ReadonlyArray<AccountKey>
  /** Not remembered: only a snapshot asks for it. */
  readonly encode: () => TransactionBytes
}

export interface Place {
  readonly ledger: number
  readonly applicationOrder: number
  readonly closeTime: number
}

/** A value that is made when it is first asked for. */
export const lazily = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

type Facts = Omit<TransactionBytes, "envelope" | "result" | "meta" | "feeMeta">

const viewOf = (facts: Facts, place: Place, encode: () => TransactionBytes): AppliedTransaction => {
  const envelopeXdr = lazily(() => base64Of(encode().envelope))
  const resultXdr = lazily(() => base64Of(encode().result))
  const resultMetaXdr = lazily(() => base64Of(encode().meta))
  const feeMetaXdr = lazily(() => base64Of(encode().feeMeta))
  const envelope = lazily(() => xdr.TransactionEnvelope.fromXdr(encode().envelope))
  const result = lazily(() => xdr.TransactionResult.fromXdr(encode().result))
  const participants = lazily(() => facts.participants.map(addressOf))
  return {
    hash: facts.hash,
    ...(facts.innerHash === undefined ? {} : { innerHash: facts.innerHash }),
    ...place,
    successful: facts.successful,
    feeChargedStroops: facts.feeCharged,
    get envelope() {
      return envelope()
    },
    get result() {
      return result()
    },
    get envelopeXdr() {
      return envelopeXdr()
    },
    get resultXdr() {
      return resultXdr()
    },
    get resultMetaXdr() {
      return resultMetaXdr()
    },
    get feeMetaXdr() {
      return feeMetaXdr()
    },
    get participants() {
      return participants()
    },
  }
}

const keptWith = (facts: Facts, place: Place, encode: () => TransactionBytes): KeptTransaction => ({
  participants: facts.participants,
  operations: facts.operations,
  encode,
  view: viewOf(facts, place, encode),
})

/**
 * What a reader may ask for once the ledger is closed. Only bytes and changes are held: the decoded envelope
 * would take several times their room, and most are never looked at again.
 */
export const keptOf = (included: IncludedTransaction, place: Place): KeptTransaction => {
  const { frame, verdict, resultBytes: result, feeChanges, changes } = included
  const { bytes: envelope } = frame
  const facts = {
    hash: frame.hash,
    innerHash: frame.feeBump ? frame.inner.hash : undefined,
    successful: verdict.code === "txSuccess",
    feeCharged: verdict.feeCharged,
    participants: [...participantsOf(frame, changes, feeChanges)],
    operations: frame.inner.operations.length,
  }
  const encode = (): TransactionBytes => ({
    ...facts,
    envelope,
    result,
    get meta() {
      return metaBytes(changes)
    },
    get feeMeta() {
      return feeMetaBytes(feeChanges)
    },
  })
  return keptWith(facts, place, encode)
}

/** From a snapshot. */
export const keptFrom = (bytes: TransactionBytes, place: Place): KeptTransaction =>
  keptWith(bytes, place, () => bytes)
