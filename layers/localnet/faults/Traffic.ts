/**
 * Other people's transactions: real ones, of accounts that friendbot's root account pays for, each paying
 * itself a stroop, as often as a ledger has room for.
 */
import { createHash } from "node:crypto"
import { Account, Asset, Keypair, Operation, TransactionBuilder, xdr } from "@stellar/stellar-sdk"
import type { Network } from "../Network.ts"

const OPERATIONS_MAX = 100
/** Enough for the bids of some 10,000 ledgers. */
const STARTING_BALANCE = "100000"
/** The queue holds two ledgers' worth of operations. */
const LEDGERS_WAITING_MAX = 2

export interface Traffic {
  /** Makes the accounts, where they are missing; a ledger later they can be used. */
  readonly prepare: () => void
  /** Submits until as many ledgers' worth of operations wait. */
  readonly fill: (waitingLedgers: number, bidStroops: number) => void
}

interface Sender {
  readonly keys: Keypair
  readonly operations: number
}

/** 250 operations are 100, 100 and 50. */
const sizesOf = (operationsPerLedger: number): ReadonlyArray<number> => {
  const sizes = Array.from({ length: Math.floor(operationsPerLedger / OPERATIONS_MAX) }, () => OPERATIONS_MAX)
  const rest = operationsPerLedger % OPERATIONS_MAX
  return rest === 0 ? sizes : [...sizes, rest]
}

const sendersFor = (operationsPerLedger: number): ReadonlyArray<Sender> => {
  const sizes = sizesOf(operationsPerLedger)
  return Array.from({ length: LEDGERS_WAITING_MAX }, () => sizes)
    .flat()
    .map((operations, index) => {
      const seed = createHash("sha256").update(`localnet's other traffic ${index}`).digest()
      return { keys: Keypair.fromRawEd25519Seed(seed), operations }
    })
}

const sequenceOf = (network: Network, keys: Keypair): bigint | undefined => {
  const key = xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: keys.xdrPublicKey() }))
  const data = network.entry(key)?.entry.data
  return data?.type === "account" ? data.account.seqNum : undefined
}

const envelope = (
  network: Network,
  keys: Keypair,
  sequence: bigint,
  bidStroops: number,
  operations: ReadonlyArray<xdr.Operation>,
): string => {
  const builder = new TransactionBuilder(new Account(keys.publicKey(), sequence.toString()), {
    fee: String(bidStroops),
    networkPassphrase: network.settings.passphrase,
  })
  for (const operation of operations) builder.addOperation(operation)
  const transaction = builder.setTimeout(0).build()
  transaction.sign(keys)
  return transaction.toXDR()
}

export const makeTraffic = (network: Network): Traffic => {
  const senders = sendersFor(network.settings.operationsPerLedgerMax)
  const root = Keypair.master(network.settings.passphrase)
  /** The last envelope of each sender: signing takes time, and one that waits still is sent again. */
  const signed = new Map<Sender, { readonly order: string; readonly envelopeXdr: string }>()

  const envelopeOf = (sender: Sender, sequence: bigint, bidStroops: number): string => {
    const order = `${sequence} ${bidStroops}`
    const known = signed.get(sender)
    if (known?.order === order) return known.envelopeXdr
    const payment = Operation.payment({
      destination: sender.keys.publicKey(),
      asset: Asset.native(),
      amount: "0.0000001",
    })
    const operations = Array.from({ length: sender.operations }, () => payment)
    const envelopeXdr = envelope(network, sender.keys, sequence, bidStroops, operations)
    signed.set(sender, { order, envelopeXdr })
    return envelopeXdr
  }

  return {
    prepare: () => {
      const missing = senders.filter(({ keys }) => sequenceOf(network, keys) === undefined)
      const sequence = sequenceOf(network, root)
      if (missing.length === 0 || sequence === undefined) return
      const operations = missing
        .slice(0, OPERATIONS_MAX)
        .map(({ keys }) =>
          Operation.createAccount({ destination: keys.publicKey(), startingBalance: STARTING_BALANCE }),
        )
      network.submit(envelope(network, root, sequence, network.settings.baseFeeStroops * 10, operations))
    },
    fill: (waitingLedgers, bidStroops) => {
      const wanted = (senders.length / LEDGERS_WAITING_MAX) * waitingLedgers
      for (const sender of senders.slice(0, wanted)) {
        const sequence = sequenceOf(network, sender.keys)
        if (sequence !== undefined) network.submit(envelopeOf(sender, sequence, bidStroops))
      }
    },
  }
}
