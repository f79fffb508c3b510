/** A network with the accounts that a rewards programme has, and ledgers' worth of payments for it. */
import { Asset, Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { type LocalNetwork, openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { envelope, type Person, people, personOf } from "./Envelopes.ts"

const PASSPHRASE = "Bench network ; 2026"
const OPERATIONS_PER_LEDGER = 1000
const BATCH = 100
const LEDGER_SECONDS = 5

export interface Load {
  readonly name: string
  readonly transactions: number
  readonly paymentsEach: number
  /** Channels pay out of one distribution account (two signatures), or each account out of its own (one). */
  readonly payer: "distribution" | "source"
}

export interface SceneOptions {
  readonly load: Load
  readonly retentionLedgers: number
  /** Absent: memory only. */
  readonly ledgerFile?: string
}

export interface BenchScene {
  readonly network: LocalNetwork
  /** Envelopes of the next ledgers, signed: their making is not what is measured. */
  readonly sign: (ledgers: number) => ReadonlyArray<ReadonlyArray<string>>
  /** Submits and closes; throws unless every transaction was accepted and succeeded. */
  readonly settle: (envelopes: ReadonlyArray<string>) => Settled
}

export interface Settled {
  readonly submitMs: number
  readonly closeMs: number
}

const chunks = <A>(items: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))

const sequenceOf = (network: LocalNetwork, { keys }: Person): bigint => {
  const key = xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: keys.xdrPublicKey() }))
  const data = network.entry(key)?.entry.data
  if (data?.type !== "account") throw new Error(`${keys.publicKey()} does not exist`)
  return data.account.seqNum
}

const openBenchNetwork = ({ ledgerFile, retentionLedgers }: SceneOptions, now: () => number): LocalNetwork =>
  openNetwork({
    settings: { passphrase: PASSPHRASE, operationsPerLedgerMax: OPERATIONS_PER_LEDGER, retentionLedgers },
    now,
    friendbotHelpers: 0,
    ...(ledgerFile === undefined ? {} : { ledgerFile }),
  })

const settleOn = (network: LocalNetwork, close: () => void) => (envelopes: ReadonlyArray<string>) => {
  const startedMs = performance.now()
  for (const one of envelopes) {
    const { status } = network.submit(one)
    if (status !== "PENDING") throw new Error(`the queue said ${status}`)
  }
  const submittedMs = performance.now()
  close()
  const closedMs = performance.now()
  const { successfulTransactions } = network.latest()
  if (successfulTransactions !== envelopes.length) throw new Error(`only ${successfulTransactions} succeeded`)
  return { submitMs: submittedMs - startedMs, closeMs: closedMs - submittedMs }
}

interface Cast {
  readonly issuer: Person
  readonly distribution: Person
  readonly sources: ReadonlyArray<Person>
  readonly wallets: ReadonlyArray<Person>
}

const castOf = ({ payer, paymentsEach, transactions }: Load): Cast => {
  const [issuer, distribution] = people(1, 2)
  if (issuer === undefined || distribution === undefined) throw new Error("nobody")
  const wallets = people(3, payer === "distribution" ? transactions * paymentsEach : BATCH)
  return { issuer, distribution, sources: people(2, transactions), wallets }
}

/** Accounts, trustlines and a treasury, over as few ledgers as it takes. */
const populate = (network: LocalNetwork, settle: BenchScene["settle"], cast: Cast, asset: Asset): void => {
  const { distribution, issuer, sources, wallets } = cast
  const root = personOf(Keypair.master(PASSPHRASE))
  const signed = (person: Person, operations: ReadonlyArray<xdr.Operation>) =>
    envelope(PASSPHRASE, person, sequenceOf(network, person) + 1n, operations)
  for (const batch of chunks([issuer, distribution, ...sources, ...wallets], BATCH)) {
    const create = ({ keys }: Person) =>
      Operation.createAccount({ destination: keys.publicKey(), startingBalance: "100000" })
    settle([signed(root, batch.map(create))])
  }
  for (const batch of chunks([distribution, ...sources, ...wallets], OPERATIONS_PER_LEDGER)) {
    settle(batch.map((person) => signed(person, [Operation.changeTrust({ asset })])))
  }
  for (const batch of chunks([distribution, ...sources], BATCH)) {
    const pay = ({ keys }: Person) =>
      Operation.payment({ destination: keys.publicKey(), asset, amount: "100000000" })
    settle([signed(issuer, batch.map(pay))])
  }
}

/** Transaction `index` of every ledger pays its own wallets, so that a full ledger pays a thousand. */
const paymentsOf = (load: Load, { distribution, wallets }: Cast, asset: Asset, index: number) =>
  Array.from({ length: load.paymentsEach }, (_, at) =>
    Operation.payment({
      destination: wallets[(index * load.paymentsEach + at) % wallets.length]?.keys.publicKey() ?? "",
      asset,
      amount: "0.0000025",
      ...(load.payer === "distribution" ? { source: distribution.keys.publicKey() } : {}),
    }),
  )

export const openScene = (options: SceneOptions): BenchScene => {
  const { load } = options
  let seconds = 1_000_000
  const network = openBenchNetwork(options, () => seconds)
  const settle = settleOn(network, () => {
    seconds += LEDGER_SECONDS
    network.closeLedger(seconds)
  })
  const cast = castOf(load)
  const asset = new Asset("NOVA", cast.issuer.keys.publicKey())
  populate(network, settle, cast, asset)
  const payments = cast.sources.map((_, index) => paymentsOf(load, cast, asset, index))
  const sequences = cast.sources.map((source) => sequenceOf(network, source))
  const signOne = (source: Person, index: number): string => {
    const sequence = (sequences[index] ?? 0n) + 1n
    sequences[index] = sequence
    const signers = load.payer === "distribution" ? [source, cast.distribution] : [source]
    return envelope(PASSPHRASE, source, sequence, payments[index] ?? [], signers)
  }
  return {
    network,
    settle,
    sign: (ledgers) => Array.from({ length: ledgers }, () => cast.sources.map(signOne)),
  }
}
