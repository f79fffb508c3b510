/** What two networks are compared by. */
import type { Keypair } from "@stellar/stellar-sdk"
import { accountKeyOf, type TestNetwork } from "./TestNetwork.ts"

/** Everything that a reader can see, as text. */
export const visible = (
  { network }: Pick<TestNetwork, "network">,
  accounts: ReadonlyArray<Keypair>,
): string => {
  const parts: Array<unknown> = []
  for (let sequence = network.oldestLedger(); sequence <= network.latest().sequence; sequence++) {
    const ledger = network.ledger(sequence)
    parts.push(ledger?.hash, ledger?.headerXdr, ledger?.closeTime, ledger?.previousHash, ledger?.operations)
    for (const one of ledger?.transactions ?? []) {
      parts.push(
        one.hash,
        one.envelopeXdr,
        one.resultXdr,
        one.resultMetaXdr,
        one.feeMetaXdr,
        one.applicationOrder,
      )
      parts.push(one.participants, one.successful, String(one.feeChargedStroops), one.envelope, one.result)
    }
  }
  for (const keys of accounts) {
    parts.push(
      network.entry(accountKeyOf(keys)),
      network.transactionsOf(keys.publicKey()).map(({ hash }) => hash),
    )
  }
  return JSON.stringify(parts)
}
