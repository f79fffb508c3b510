import type { xdr } from "@stellar/stellar-sdk"
import { addressOf } from "./EnvelopeView.ts"

/** The optional parts of an AccountEntry, flattened; what is absent is zero, as core reads it. */
export interface AccountExtensions {
  readonly buyingLiabilities: bigint
  readonly sellingLiabilities: bigint
  readonly numSponsored: number
  readonly numSponsoring: number
  /** By the position of the signer; a G address where its reserve is sponsored. */
  readonly signerSponsors: ReadonlyArray<string | undefined>
  /** Absent until the sequence number has changed for the first time since protocol 19. */
  readonly sequenceSet?: { readonly ledger: number; readonly time: bigint }
}

const none: AccountExtensions = {
  buyingLiabilities: 0n,
  sellingLiabilities: 0n,
  numSponsored: 0,
  numSponsoring: 0,
  signerSponsors: [],
}

export const accountExtensions = (account: xdr.AccountEntry): AccountExtensions => {
  if (account.ext.type !== "v1") return none
  const { liabilities, ext } = account.ext.v1
  const held = { ...none, buyingLiabilities: liabilities.buying, sellingLiabilities: liabilities.selling }
  if (ext.type !== "v2") return held
  const { numSponsored, numSponsoring, signerSponsoringIDs, ext: latest } = ext.v2
  return {
    ...held,
    numSponsored,
    numSponsoring,
    signerSponsors: signerSponsoringIDs.map((sponsor) => (sponsor === null ? undefined : addressOf(sponsor))),
    ...(latest.type === "v3"
      ? { sequenceSet: { ledger: latest.v3.seqLedger, time: latest.v3.seqTime } }
      : {}),
  }
}

/** The account that pays an entry's reserve in its owner's stead (CAP-33). */
export const sponsorOf = (entry: xdr.LedgerEntry): string | undefined => {
  const sponsor = entry.ext.type === "v1" ? entry.ext.v1.sponsoringId : null
  return sponsor === null ? undefined : addressOf(sponsor)
}
