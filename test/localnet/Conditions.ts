/** Preconditions by what is set of them. */
import { xdr } from "@stellar/stellar-sdk"

type Fields = ConstructorParameters<typeof xdr.PreconditionsV2>[0]

export const conditions = (fields: Partial<Fields>): xdr.Preconditions =>
  xdr.Preconditions.precondV2(
    new xdr.PreconditionsV2({
      timeBounds: null,
      ledgerBounds: null,
      minSeqNum: null,
      minSeqAge: 0n,
      minSeqLedgerGap: 0,
      extraSigners: [],
      ...fields,
    }),
  )

export const timeBounds = (minTime: bigint, maxTime: bigint): xdr.TimeBounds =>
  new xdr.TimeBounds({ minTime, maxTime })

export const ledgerBounds = (minLedger: number, maxLedger: number): xdr.LedgerBounds =>
  new xdr.LedgerBounds({ minLedger, maxLedger })
