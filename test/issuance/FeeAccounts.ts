/** Accounts of the tests about fees, without the worker's wiring. */
import { Keypair, xdr } from "@stellar/stellar-sdk"
import type { Network } from "../../layers/localnet/Network.ts"

/** A key pair of its own for each name, the same in every run. */
export const keypairNamed = (name: string) => Keypair.fromRawEd25519Seed(Buffer.from(name.padEnd(32, ".")))

/** @throws Error where the account does not exist */
export const sequenceOf = (network: Network, keypair: Keypair): bigint => {
  const key = xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: keypair.xdrPublicKey() }))
  const data = network.entry(key)?.entry.data
  if (data?.type !== "account") throw new Error(`${keypair.publicKey()} does not exist`)
  return data.account.seqNum
}
