/**
 * Ledger keys, and the entries under them as one call of Stellar RPC gives them.
 *
 * Invariant: everything in one answer is of one ledger, the one that the answer names; nothing here puts two answers
 * together.
 *
 * Source: Stellar-ledger-entries.x (LedgerKey, LedgerEntryData)
 */
import { type Asset, Keypair, xdr } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SorobanRpc, SorobanRpcError } from "../ports/SorobanRpc.ts"

/** Keys that one getLedgerEntries call takes (Stellar RPC's own limit). */
export const KEYS_MAX = 200

const accountId = (address: string): xdr.AccountId => Keypair.fromPublicKey(address).xdrPublicKey()

/** LedgerKey of an account (G...), base64 XDR. */
export const accountKey = (address: string): string =>
  xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: accountId(address) })).toXDR("base64")

/** LedgerKey of an account's trustline to the asset, base64 XDR. */
export const trustlineKey = (address: string, asset: Asset): string =>
  xdr.LedgerKey.trustline(
    new xdr.LedgerKeyTrustLine({ accountId: accountId(address), asset: asset.toTrustLineXdrObject() }),
  ).toXDR("base64")

/** LedgerKey of an account's data entry, base64 XDR. */
export const dataKey = (address: string, dataName: string): string =>
  xdr.LedgerKey.data(new xdr.LedgerKeyData({ accountId: accountId(address), dataName })).toXDR("base64")

/** LedgerKey of a claimable balance, base64 XDR. @param balanceId ClaimableBalanceID, hex XDR, as Horizon writes it */
export const claimableBalanceKey = (balanceId: string): string =>
  xdr.LedgerKey.claimableBalance(
    new xdr.LedgerKeyClaimableBalance({ balanceId: xdr.ClaimableBalanceId.fromXDR(balanceId, "hex") }),
  ).toXDR("base64")

export interface LedgerEntries {
  /** The ledger that all of the entries speak of. */
  readonly latestLedger: number
  /** By key, as asked; keys that the ledger has nothing under are absent. */
  readonly entries: ReadonlyMap<string, xdr.LedgerEntryData>
}

const decode = (data: string) =>
  Effect.try({
    try: () => xdr.LedgerEntryData.fromXDR(data, "base64"),
    catch: () =>
      new SorobanRpcError({
        method: "getLedgerEntries",
        reason: "undecodable_answer",
        message: "An entry in the answer is not LedgerEntryData XDR",
      }),
  })

/**
 * The entries under these keys (base64 XDR, at most 200) in one call.
 *
 * @error SorobanRpcError where the node gave no answer, or one that cannot be read
 */
export const readLedgerEntries = Effect.fn("LedgerEntries.read")(function* (keys: ReadonlyArray<string>) {
  const rpc = yield* SorobanRpc
  if (keys.length > KEYS_MAX) {
    return yield* Effect.die(new Error(`one call takes at most ${KEYS_MAX} ledger keys, got ${keys.length}`))
  }
  const asked = new Set(keys)
  const answer = yield* rpc.getLedgerEntries([...asked])
  const entries = new Map<string, xdr.LedgerEntryData>()
  for (const entry of answer.entries) {
    if (asked.has(entry.key)) entries.set(entry.key, yield* decode(entry.xdr))
  }
  return { latestLedger: answer.latestLedger, entries } satisfies LedgerEntries
})
