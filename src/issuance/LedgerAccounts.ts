/** Account entries read from Stellar RPC: what the ledger itself says, at the ledger that the answer names. */
import { Keypair, xdr } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SorobanRpc, SorobanRpcError } from "../ports/SorobanRpc.ts"

export interface LedgerAccount {
  readonly sequence: bigint
  /** The ledger in which the sequence last changed (CAP-21); undefined until it has changed once. */
  readonly sequenceLedger: number | undefined
  readonly balanceStroops: bigint
}

export interface AccountsView {
  /** The ledger that all of the accounts speak of. */
  readonly latestLedger: number
  /** By G address; accounts that the ledger does not have are absent. */
  readonly accounts: ReadonlyMap<string, LedgerAccount>
}

/** Keys that one getLedgerEntries call takes (Stellar RPC's own limit). */
const KEYS_MAX = 200

const accountKey = (address: string): string =>
  xdr.LedgerKey.account(
    new xdr.LedgerKeyAccount({ accountId: Keypair.fromPublicKey(address).xdrPublicKey() }),
  ).toXDR("base64")

const sequenceLedgerOf = ({ ext }: xdr.AccountEntry): number | undefined => {
  if (ext.type !== "v1" || ext.v1.ext.type !== "v2" || ext.v1.ext.v2.ext.type !== "v3") return undefined
  return ext.v1.ext.v2.ext.v3.seqLedger
}

const toAccount = (entry: xdr.AccountEntry): LedgerAccount => ({
  sequence: entry.seqNum,
  sequenceLedger: sequenceLedgerOf(entry),
  balanceStroops: entry.balance,
})

const readEntry = (data: string) =>
  Effect.try({
    try: () => {
      const entry = xdr.LedgerEntryData.fromXDR(data, "base64")
      return entry.type === "account" ? toAccount(entry.account) : undefined
    },
    catch: () =>
      new SorobanRpcError({
        method: "getLedgerEntries",
        reason: "undecodable_answer",
        message: "An entry in the answer is not LedgerEntryData XDR",
      }),
  })

/** The accounts (at most 200) in one call, so that all of them are of one ledger. */
export const readAccounts = Effect.fn("LedgerAccounts.readAccounts")(function* (
  addresses: ReadonlyArray<string>,
) {
  const rpc = yield* SorobanRpc
  if (addresses.length > KEYS_MAX) {
    return yield* Effect.die(
      new Error(`readAccounts takes at most ${KEYS_MAX} addresses, got ${addresses.length}`),
    )
  }
  const byKey = new Map(addresses.map((address) => [accountKey(address), address]))
  const answer = yield* rpc.getLedgerEntries([...byKey.keys()])
  const accounts = new Map<string, LedgerAccount>()
  for (const entry of answer.entries) {
    const address = byKey.get(entry.key)
    const account = yield* readEntry(entry.xdr)
    if (address !== undefined && account !== undefined) accounts.set(address, account)
  }
  return { latestLedger: answer.latestLedger, accounts } satisfies AccountsView
})
