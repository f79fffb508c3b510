/**
 * Friendbot: 10,000 lumens from the root account for whoever asks. A source account may have one transaction
 * pending, so requests go through helper accounts that lend their sequence and pay the fee, as the real
 * friendbot's minions do (stellar/friendbot internal/minion.go); the root account is the operation's source.
 */
import { Account, BASE_FEE, Keypair, Operation, TransactionBuilder } from "@stellar/stellar-sdk"
import { base64Of, hexOf, sha256 } from "./Codec.ts"
import type { AccountKey, AccountState } from "./Entries.ts"

const STARTING_BALANCE = "10000"
const HELPER_BALANCE = "10000"
/** Accounts that one transaction can create. */
export const HELPERS_MAX = 100

export interface FriendbotLedger {
  readonly account: (id: AccountKey) => AccountState | undefined
  readonly isPending: (source: AccountKey) => boolean
}

export interface Friendbot {
  /** Envelope (base64) that creates the helpers, from the root account. */
  readonly setUp: () => string
  /** Envelope (base64) that creates `address` with 10,000 lumens. */
  readonly fund: (address: string) => string
}

const envelopeOf = (builder: TransactionBuilder, signers: ReadonlyArray<Keypair>): string => {
  // No timeout: the engine's clock is not this process's.
  const transaction = builder.setTimeout(0).build()
  transaction.sign(...signers)
  return base64Of(transaction.toEnvelope().toXdr())
}

export const makeFriendbot = (
  passphrase: string,
  helperCount: number,
  ledger: FriendbotLedger,
): Friendbot => {
  const root = Keypair.master(passphrase)
  const text = new TextEncoder()
  const helpers = Array.from({ length: Math.min(helperCount, HELPERS_MAX) }, (_, index) =>
    Keypair.fromRawEd25519Seed(sha256(text.encode(`${passphrase} friendbot ${index}`))),
  )
  let next = 0

  const from = (source: Keypair): TransactionBuilder => {
    const account = ledger.account(hexOf(source.rawPublicKey()))
    if (account === undefined) throw new Error(`friendbot's account ${source.publicKey()} does not exist`)
    const sequence = new Account(source.publicKey(), account.sequence.toString())
    return new TransactionBuilder(sequence, { fee: BASE_FEE, networkPassphrase: passphrase })
  }
  /** The next helper in turn that has nothing pending; when all have, the next one all the same. */
  const pick = (): Keypair => {
    for (let tried = 0; tried < helpers.length; tried++) {
      const helper = helpers[next++ % helpers.length]
      if (helper !== undefined && !ledger.isPending(hexOf(helper.rawPublicKey()))) return helper
    }
    return helpers[next++ % Math.max(1, helpers.length)] ?? root
  }

  return {
    setUp: () => {
      const builder = from(root)
      for (const helper of helpers) {
        builder.addOperation(
          Operation.createAccount({ destination: helper.publicKey(), startingBalance: HELPER_BALANCE }),
        )
      }
      return envelopeOf(builder, [root])
    },
    fund: (address) => {
      const helper = pick()
      const builder = from(helper).addOperation(
        Operation.createAccount({
          destination: address,
          startingBalance: STARTING_BALANCE,
          source: root.publicKey(),
        }),
      )
      return envelopeOf(builder, helper === root ? [root] : [helper, root])
    },
  }
}
