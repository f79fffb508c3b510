/** Ledger headers: the chain of hashes (Stellar-ledger.x). */
import { xdr } from "@stellar/stellar-sdk"
import { hexOf, sha256 } from "./Codec.ts"

/** A header with its bytes and its hash, which is the SHA-256 of the bytes. */
export interface SealedHeader {
  readonly header: xdr.LedgerHeader
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly hashHex: string
}

export interface HeaderSettings {
  readonly protocolVersion: number
  readonly baseFeeStroops: number
  readonly baseReserveStroops: number
  readonly operationsPerLedgerMax: number
}

/** All lumens there are: 100 billion, in stroops (genesisLedger, stellar-core src/ledger/LedgerManagerImpl.cpp). */
export const TOTAL_COINS = 1_000_000_000_000_000_000n

const ZERO = new Uint8Array(32)

export const seal = (header: xdr.LedgerHeader): SealedHeader => {
  const bytes = header.toXdr()
  const hash = sha256(bytes)
  return { header, bytes, hash, hashHex: hexOf(hash) }
}

export const sealedFrom = (bytes: Uint8Array): SealedHeader => {
  const hash = sha256(bytes)
  return { header: xdr.LedgerHeader.fromXdr(bytes), bytes, hash, hashHex: hexOf(hash) }
}

/** Nobody signs the value that consensus agreed to: there is no consensus here, so the value is a basic one. */
const stellarValue = (txSetHash: Uint8Array, closeTime: bigint): xdr.StellarValue =>
  new xdr.StellarValue({ txSetHash, closeTime, upgrades: [], ext: xdr.StellarValueExt.stellarValueBasic() })

export const genesisHeader = (settings: HeaderSettings, stateHash: Uint8Array): SealedHeader =>
  seal(
    new xdr.LedgerHeader({
      ledgerVersion: settings.protocolVersion,
      previousLedgerHash: ZERO,
      scpValue: stellarValue(ZERO, 0n),
      txSetResultHash: ZERO,
      bucketListHash: stateHash,
      ledgerSeq: 1,
      totalCoins: TOTAL_COINS,
      feePool: 0n,
      inflationSeq: 0,
      idPool: 0n,
      baseFee: settings.baseFeeStroops,
      baseReserve: settings.baseReserveStroops,
      maxTxSetSize: settings.operationsPerLedgerMax,
      skipList: [ZERO, ZERO, ZERO, ZERO],
      ext: xdr.LedgerHeaderExt.v0(),
    }),
  )

const SKIP_1 = 50
const SKIP_2 = 5000
const SKIP_3 = 50000
const SKIP_4 = 500000

/** BucketManager::calculateSkipValues, stellar-core src/bucket/BucketManager.cpp. */
export const skipList = (
  previous: ReadonlyArray<xdr.Hash>,
  sequence: number,
  stateHash: Uint8Array,
): Array<xdr.Hash | Uint8Array> => {
  const [first = ZERO, second = ZERO, third = ZERO, fourth = ZERO] = previous
  if (sequence % SKIP_1 !== 0) return [first, second, third, fourth]
  const isMark = (at: number, every: number): boolean => at > 0 && at % every === 0
  const shiftSecond = isMark(sequence - SKIP_1, SKIP_2)
  const shiftThird = shiftSecond && isMark(sequence - SKIP_2 - SKIP_1, SKIP_3)
  const shiftFourth = shiftThird && isMark(sequence - SKIP_3 - SKIP_2 - SKIP_1, SKIP_4)
  return [stateHash, shiftSecond ? first : second, shiftThird ? second : third, shiftFourth ? third : fourth]
}

export interface NextLedger {
  readonly closeTime: bigint
  readonly txSetHash: Uint8Array
  readonly resultHash: Uint8Array
  readonly stateHash: Uint8Array
  /** Fees that this ledger burned, in stroops. */
  readonly fees: bigint
}

export const nextHeader = (
  previous: SealedHeader,
  settings: HeaderSettings,
  next: NextLedger,
): SealedHeader => {
  const { header } = previous
  const ledgerSeq = header.ledgerSeq + 1
  return seal(
    new xdr.LedgerHeader({
      ledgerVersion: settings.protocolVersion,
      previousLedgerHash: previous.hash,
      scpValue: stellarValue(next.txSetHash, next.closeTime),
      txSetResultHash: next.resultHash,
      bucketListHash: next.stateHash,
      ledgerSeq,
      totalCoins: header.totalCoins,
      feePool: header.feePool + next.fees,
      inflationSeq: header.inflationSeq,
      idPool: header.idPool,
      baseFee: settings.baseFeeStroops,
      baseReserve: settings.baseReserveStroops,
      maxTxSetSize: settings.operationsPerLedgerMax,
      skipList: skipList(header.skipList, ledgerSeq, next.stateHash),
      ext: xdr.LedgerHeaderExt.v0(),
    }),
  )
}

/** The settings that a header states. */
export const settingsIn = (header: xdr.LedgerHeader): HeaderSettings => ({
  protocolVersion: header.ledgerVersion,
  baseFeeStroops: header.baseFee,
  baseReserveStroops: header.baseReserve,
  operationsPerLedgerMax: header.maxTxSetSize,
})
