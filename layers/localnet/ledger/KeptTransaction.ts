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
}

export interface KeptTransaction {
  readonly view: AppliedTransaction
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

interface Sources {
  readonly envelope: () => xdr.TransactionEnvelope
  readonly result: () => xdr.TransactionResult
  readonly encode: () => TransactionBytes
}

const viewOf = (
  facts: Pick<TransactionBytes, "hash" | "innerHash" | "successful" | "feeCharged" | "participants">,
  place: Place,
  sources: Sources,
): AppliedTransaction => {
  const envelopeXdr = lazily(() => base64Of(sources.encode().envelope))
  const resultXdr = lazily(() => base64Of(sources.encode().result))
  const resultMetaXdr = lazily(() => base64Of(sources.encode().meta))
  const feeMetaXdr = lazily(() => base64Of(sources.encode().feeMeta))
  const envelope = lazily(sources.envelope)
  const result = lazily(sources.result)
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

export const keptOf = (included: IncludedTransaction, place: Place): KeptTransaction => {
  const { frame, verdict, result, resultBytes, feeChanges, changes } = included
  const facts = {
    hash: frame.hash,
    innerHash: frame.feeBump ? frame.inner.hash : undefined,
    successful: verdict.code === "txSuccess",
    feeCharged: verdict.feeCharged,
    participants: [...participantsOf(frame, changes, feeChanges)],
  }
  const encode = (): TransactionBytes => ({
    ...facts,
    envelope: frame.bytes,
    result: resultBytes,
    get meta() {
      return metaBytes(changes)
    },
    get feeMeta() {
      return feeMetaBytes(feeChanges)
    },
  })
  const sources = { envelope: () => frame.envelope, result: () => result, encode }
  return { participants: facts.participants, encode, view: viewOf(facts, place, sources) }
}

/** From a snapshot. */
export const keptFrom = (bytes: TransactionBytes, place: Place): KeptTransaction => {
  const sources = {
    envelope: () => xdr.TransactionEnvelope.fromXdr(bytes.envelope),
    result: () => xdr.TransactionResult.fromXdr(bytes.result),
    encode: () => bytes,
  }
  return { participants: bytes.participants, encode: () => bytes, view: viewOf(bytes, place, sources) }
}
