/**
 * A ledger file with everybody whom the measurements need: an issuer, a distribution account with a treasury, and
 * wallets with trustlines. Written by the network's own engine in this process, ledger by ledger, in a past that ends
 * before now; a network process then goes on from it.
 */
import { Asset, Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { type LocalNetwork, openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { envelope, type Person, people, personOf } from "../localnet/Envelopes.ts"

export const PASSPHRASE = "Settlement bench ; 2026"
export const ASSET_CODE = "NOVA"

const CREATIONS_PER_TRANSACTION = 100
/** What a ledger takes while accounts are made; the process that follows may have another limit. */
const OPERATIONS_PER_LEDGER = 1000
const TREASURY = "100000000"

export interface Accounts {
  readonly issuer: string
  readonly distribution: string
  readonly distributionSecret: string
  readonly wallets: ReadonlyArray<string>
}

const chunks = <A>(items: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))

const sequenceOf = (network: LocalNetwork, { keys }: Person): bigint => {
  const key = xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: keys.xdrPublicKey() }))
  const data = network.entry(key)?.entry.data
  if (data?.type !== "account") throw new Error(`${keys.publicKey()} does not exist`)
  return data.account.seqNum
}

/** Submits the envelopes and closes a ledger; throws unless all of them succeeded. */
const makeSettle =
  (network: LocalNetwork, nextSecond: () => number) => (envelopes: ReadonlyArray<string>) => {
    for (const one of envelopes) {
      const { status } = network.submit(one)
      if (status !== "PENDING") throw new Error(`the network answered ${status} while accounts were made`)
    }
    const { successfulTransactions } = network.closeLedger(nextSecond())
    if (successfulTransactions !== envelopes.length) throw new Error("an account could not be made")
  }

const populate = (
  network: LocalNetwork,
  settle: (envelopes: ReadonlyArray<string>) => void,
  cast: { readonly issuer: Person; readonly distribution: Person; readonly wallets: ReadonlyArray<Person> },
): void => {
  const { distribution, issuer, wallets } = cast
  const asset = new Asset(ASSET_CODE, issuer.keys.publicKey())
  const root = personOf(Keypair.master(PASSPHRASE))
  const signed = (person: Person, operations: ReadonlyArray<xdr.Operation>) =>
    envelope(PASSPHRASE, person, sequenceOf(network, person) + 1n, operations)
  const create = (startingBalance: string) => (person: Person) =>
    Operation.createAccount({ destination: person.keys.publicKey(), startingBalance })
  settle([signed(root, [issuer, distribution].map(create("100000")))])
  for (const batch of chunks(wallets, CREATIONS_PER_TRANSACTION)) {
    settle([signed(root, batch.map(create("10")))])
  }
  for (const batch of chunks([distribution, ...wallets], OPERATIONS_PER_LEDGER)) {
    settle(batch.map((person) => signed(person, [Operation.changeTrust({ asset })])))
  }
  const treasury = { destination: distribution.keys.publicKey(), asset, amount: TREASURY }
  settle([signed(issuer, [Operation.payment(treasury)])])
}

/**
 * Writes a new ledger file.
 *
 * @param nowSeconds Unix time that the last ledger stays before
 */
export const writeAccounts = (ledgerFile: string, walletCount: number, nowSeconds: number): Accounts => {
  const [issuer, distribution] = people(1, 2)
  if (issuer === undefined || distribution === undefined) throw new Error("nobody")
  const wallets = people(2, walletCount)
  // A second for each ledger, and ten to spare.
  let seconds =
    nowSeconds - 20 - Math.ceil(walletCount / CREATIONS_PER_TRANSACTION + walletCount / OPERATIONS_PER_LEDGER)
  const network = openNetwork({
    settings: { passphrase: PASSPHRASE, operationsPerLedgerMax: OPERATIONS_PER_LEDGER },
    now: () => seconds,
    friendbotHelpers: 0,
    ledgerFile,
  })
  try {
    populate(
      network,
      makeSettle(network, () => ++seconds),
      { issuer, distribution, wallets },
    )
  } finally {
    network.close()
  }
  return {
    issuer: issuer.keys.publicKey(),
    distribution: distribution.keys.publicKey(),
    distributionSecret: distribution.keys.secret(),
    wallets: wallets.map(({ keys }) => keys.publicKey()),
  }
}
