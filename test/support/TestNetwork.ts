/**
 * An embedded network in this process whose ledgers close when the test says so, with an issuer, a distribution
 * account and a treasury, and the ports' socketless layers on it.
 *
 * Time is the test's clock: a close moves it by five seconds, as a ledger of the public network does.
 */
import {
  Account,
  Asset,
  encodeMuxedAccountToAddress,
  Keypair,
  Operation,
  StrKey,
  TransactionBuilder,
  xdr,
} from "@stellar/stellar-sdk"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import type { Network } from "../../layers/localnet/Network.ts"
import * as Wiring from "../../layers/Test.ts"
import { IssuanceSettings } from "../../src/issuance/IssuanceSettings.ts"

export const PASSPHRASE = "Nova Rewards test network"
const LEDGER_SECONDS = 5

/** A key pair of its own for each name, the same in every run. */
export const keypairOf = (name: string) => Keypair.fromRawEd25519Seed(Buffer.from(name.padEnd(32, ".")))

export const issuer = keypairOf("issuer")
export const distribution = keypairOf("distribution")
export const asset = new Asset("NOVA", issuer.publicKey())

export const makeTestNetwork = (limits: { readonly operationsPerLedgerMax?: number } = {}) => {
  let seconds = 0
  const network = openNetwork({
    settings: { passphrase: PASSPHRASE, retentionLedgers: 1000, ...limits },
    now: () => seconds,
  })

  let closing: Pick<Network, "closeLedger"> = network
  /** Lets ledgers close through a network with faults in front of this one. */
  const closeThrough = (faulty: Pick<Network, "closeLedger">) => {
    closing = faulty
  }

  /** Closes a ledger, five seconds after the one before, on the network and on the test's clock. */
  const close = Effect.suspend(() => {
    seconds += LEDGER_SECONDS
    return Effect.as(TestClock.adjust(`${LEDGER_SECONDS} seconds`), closing.closeLedger(seconds))
  })

  const sequenceOf = (address: string) => {
    const entry = network.entry(accountKeyOf(address))?.entry.data
    if (entry?.type !== "account") throw new Error(`${address} does not exist`)
    return entry.account.seqNum
  }

  /** Builds, signs and submits operations of one account; answers with the queue's word. */
  const submit = (source: Keypair, ...operations: ReadonlyArray<xdr.Operation>) => {
    const account = new Account(source.publicKey(), sequenceOf(source.publicKey()).toString())
    const builder = new TransactionBuilder(account, {
      fee: "100",
      networkPassphrase: PASSPHRASE,
      timebounds: { minTime: 0, maxTime: 0 },
    })
    for (const operation of operations) builder.addOperation(operation)
    const transaction = builder.build()
    transaction.sign(source)
    return network.submit(transaction.toXDR())
  }

  const fund = (...keypairs: ReadonlyArray<Keypair>) => {
    for (const keypair of keypairs) network.submit(network.friendbot(keypair.publicKey()))
  }

  const trust = (...keypairs: ReadonlyArray<Keypair>) => {
    for (const keypair of keypairs) submit(keypair, Operation.changeTrust({ asset }))
  }

  return { network, close, closeThrough, submit, fund, trust, sequenceOf }
}

const accountKeyOf = (address: string) =>
  xdr.LedgerKey.account(
    new xdr.LedgerKeyAccount({ accountId: Keypair.fromPublicKey(address).xdrPublicKey() }),
  )

/** Settings and keys that go with the network. */
export const settings = IssuanceSettings.of({
  networkPassphrase: PASSPHRASE,
  mode: "test",
  assetCode: "NOVA",
  assetIssuer: issuer.publicKey(),
  channels: 4,
  baseFeeStroops: 100,
  feeStroopsMax: 100_000,
  paymentsMax: 100,
  transactionStroopsMax: 1_000_000_0000000n,
  workerName: undefined,
  envelopeLedgers: 4,
  pollIntervalMs: 250,
  leaseMs: 15_000,
})

export const signer = Wiring.signer({
  networkPassphrase: PASSPHRASE,
  assetCode: settings.assetCode,
  assetIssuer: settings.assetIssuer,
  distributionSecret: Redacted.make(distribution.secret()),
  channelSeed: Redacted.make("07".repeat(32)),
})

/**
 * What left the distribution account on the ledger, payments and claimable balances, oldest first, of successful
 * transactions. `hashes` are the transaction's own and, of a fee bump, the inner one's.
 */
export const paymentsOf = (network: Network, from: string) =>
  network.transactionsOf(from).flatMap((transaction) => {
    const inner = innerTransaction(transaction.envelope)
    if (!transaction.successful || inner === undefined) return []
    const { hash, innerHash, ledger } = transaction
    return inner.operations.flatMap((operation, operationIndex) => {
      const source = operation.sourceAccount ?? inner.sourceAccount
      const paid = paidBy(operation.body)
      if (addressOf(source) !== from || paid === undefined) return []
      const hashes = innerHash === undefined ? [hash] : [hash, innerHash]
      return [{ hashes, ledger, operationIndex, ...paid }]
    })
  })

/** XLM for the channels is no reward. */
const paidBy = (body: xdr.OperationBody) => {
  if (body.type === "payment" && body.paymentOp.asset.type !== "assetTypeNative") {
    return { to: addressOf(body.paymentOp.destination), amountStroops: body.paymentOp.amount }
  }
  if (body.type !== "createClaimableBalance") return undefined
  const { amount, claimants } = body.createClaimableBalanceOp
  const claimant = claimants[0]?.v0.destination
  return claimant === undefined ? undefined : { to: encodeAccount(claimant), amountStroops: amount }
}

const innerTransaction = (envelope: xdr.TransactionEnvelope): xdr.Transaction | undefined => {
  if (envelope.type === "envelopeTypeTx") return envelope.v1.tx
  return envelope.type === "envelopeTypeTxFeeBump" ? envelope.feeBump.tx.innerTx.value.tx : undefined
}

const encodeAccount = (account: xdr.PublicKey) =>
  StrKey.encodeEd25519PublicKey(Buffer.from(account.ed25519.value))

const addressOf = (account: xdr.MuxedAccount) => encodeMuxedAccountToAddress(account)
