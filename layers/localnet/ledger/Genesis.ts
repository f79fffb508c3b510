/** Ledger 1: the root account holds every lumen (stellar-core LedgerManagerImpl::startNewLedger). */
import { Keypair } from "@stellar/stellar-sdk"
import { hexOf } from "./Codec.ts"
import { accountKey, newAccount } from "./Entries.ts"
import { genesisHeader, type HeaderSettings, type SealedHeader, TOTAL_COINS } from "./Header.ts"
import type { LedgerState } from "./State.ts"
import { stateHashAfter } from "./StateHash.ts"

/** Fills an empty state with the root account and seals ledger 1. */
export const genesis = (state: LedgerState, settings: HeaderSettings, passphrase: string): SealedHeader => {
  const root = newAccount(hexOf(Keypair.master(passphrase).rawPublicKey()), TOTAL_COINS, 0n)
  state.building(1)
  state.put(root)
  const after = state.get(accountKey(root.id))
  const change = { key: accountKey(root.id), before: undefined, after }
  return genesisHeader(settings, stateHashAfter(new Uint8Array(32), [change]))
}
