/** Transactions that no signer may sign: for each rule of the policy at least one that breaks it and no rule before. */
import { Asset, Claimant, Memo, Operation, xdr } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import type { SignerRule } from "../../layers/signer/SignerPolicy.ts"
import {
  channelKey,
  distributionKey,
  type Signer,
  type SignerError,
  type SignerKey,
} from "../../src/ports/Signer.ts"
import { asset, distribution } from "../support/TestNetwork.ts"
import {
  BATCH_KEYS,
  bumpOf,
  createChannel,
  giveLumens,
  leave,
  notBefore,
  type Operations,
  type Plan,
  pay,
  stranger,
  transactionOf,
  wallet,
} from "./Signers.ts"

export interface Refused {
  readonly rule: SignerRule
  readonly title: string
  readonly make: (
    signer: Signer["Service"],
  ) => Effect.Effect<{ readonly envelopeXdr: string; readonly keys: ReadonlyArray<SignerKey> }, SignerError>
}

const ours = distribution.publicKey()
const fake = new Asset("NOVA", stranger.publicKey())
const upkeep: Plan = { source: ours, memo: Memo.none() }

const row = (
  rule: SignerRule,
  title: string,
  operations: Operations,
  plan?: Plan,
  keys: ReadonlyArray<SignerKey> = BATCH_KEYS,
): Refused => ({
  rule,
  title,
  make: (signer) =>
    Effect.map(transactionOf(signer, operations, plan), (transaction) => ({
      envelopeXdr: transaction.toXdr(),
      keys,
    })),
})

/** Built with the addresses of our channels. */
const rowOf = (
  rule: SignerRule,
  title: string,
  operationsOf: (channel: string, other: string) => Operations,
  plan: Plan,
  keys: ReadonlyArray<SignerKey>,
): Refused => ({
  rule,
  title,
  make: (signer) =>
    Effect.gen(function* () {
      const operations = operationsOf(yield* signer.channelAddress(0), yield* signer.channelAddress(1))
      return { envelopeXdr: (yield* transactionOf(signer, operations, plan)).toXdr(), keys }
    }),
})

/** A transaction that the signer itself signed, bumped. */
const bumpRow = (
  rule: SignerRule,
  title: string,
  bump: (innerXdr: string, channel: string) => string,
  key: SignerKey = channelKey(0),
): Refused => ({
  rule,
  title,
  make: (signer) =>
    Effect.gen(function* () {
      const inner = yield* transactionOf(signer, [pay()])
      const signed = yield* signer.sign(inner.toXdr(), BATCH_KEYS)
      return { envelopeXdr: bump(signed.envelopeXdr, yield* signer.channelAddress(0)), keys: [key] }
    }),
})

const withoutSignatures = (envelopeXdr: string, keep: number) => {
  const envelope = xdr.TransactionEnvelope.fromXdr(envelopeXdr, "base64")
  if (envelope.type !== "envelopeTypeTx") throw new Error("not a transaction")
  const { signatures, tx } = envelope.v1
  return xdr.TransactionEnvelope.envelopeTypeTx(
    new xdr.TransactionV1Envelope({ tx, signatures: signatures.slice(0, keep) }),
  ).toXdr("base64")
}

/** Another transaction under signatures that were made for the first. */
const withAmount = (envelopeXdr: string, amount: string) => {
  const envelope = xdr.TransactionEnvelope.fromXdr(envelopeXdr, "base64")
  if (envelope.type !== "envelopeTypeTx") throw new Error("not a transaction")
  const { signatures, tx } = envelope.v1
  const changed = new xdr.Transaction({ ...tx, operations: [pay(amount)] })
  return xdr.TransactionEnvelope.envelopeTypeTx(
    new xdr.TransactionV1Envelope({ tx: changed, signatures }),
  ).toXdr("base64")
}

const operationTypes: ReadonlyArray<Refused> = [
  row("operation_type", "set options", [Operation.setOptions({ source: ours, masterWeight: 0 })]),
  row("operation_type", "a signer added beside a reward", [
    pay(),
    Operation.setOptions({
      source: ours,
      signer: { ed25519PublicKey: stranger.publicKey(), weight: 1 },
    }),
  ]),
  row("operation_type", "change trust", [Operation.changeTrust({ source: ours, asset: fake })]),
  row("operation_type", "account merge", [
    Operation.accountMerge({ source: ours, destination: stranger.publicKey() }),
  ]),
  row("operation_type", "path payment", [
    Operation.pathPaymentStrictSend({
      source: ours,
      sendAsset: asset,
      sendAmount: "1",
      destination: wallet,
      destAsset: Asset.native(),
      destMin: "1",
      path: [],
    }),
  ]),
  row("operation_type", "an offer", [
    Operation.manageSellOffer({
      source: ours,
      selling: asset,
      buying: Asset.native(),
      amount: "1",
      price: "1",
    }),
  ]),
  row("operation_type", "bump sequence", [Operation.bumpSequence({ bumpTo: "99999999999999" })]),
  row("operation_type", "manage data", [Operation.manageData({ source: ours, name: "a", value: "b" })]),
  row("operation_type", "revoke sponsorship", [
    Operation.revokeAccountSponsorship({ source: ours, account: stranger.publicKey() }),
  ]),
  row("operation_type", "no operation", []),
]

const operations: ReadonlyArray<Refused> = [
  row("asset", "an asset of the same name by another issuer", [pay("1", { asset: fake })]),
  row("asset", "a claimable balance of another asset", [
    Operation.createClaimableBalance({
      source: ours,
      asset: fake,
      amount: "1",
      claimants: [new Claimant(wallet), new Claimant(ours, notBefore(2_000_000))],
    }),
  ]),
  row("amount", "nothing", [
    Operation.createClaimableBalance({
      source: ours,
      asset,
      amount: "0.0000001",
      claimants: [new Claimant(wallet), new Claimant(ours, notBefore(2_000_000))],
    }),
    zeroPayment(),
  ]),
  row("claimants", "a balance that never comes back", [leave([new Claimant(wallet)])]),
  row("claimants", "somebody else takes it back", [
    leave([new Claimant(wallet), new Claimant(stranger.publicKey(), notBefore(2_000_000))]),
  ]),
  row("claimants", "a third one", [
    leave([
      new Claimant(wallet),
      new Claimant(ours, notBefore(2_000_000)),
      new Claimant(stranger.publicKey(), notBefore(1)),
    ]),
  ]),
  row("claimants", "it comes back in a hundred years", [
    leave([new Claimant(wallet), new Claimant(ours, notBefore(3_155_760_000))]),
  ]),
  row("claimants", "we could take it at once", [leave([new Claimant(wallet), new Claimant(ours)])]),
  row("destination", "XLM to a stranger", [giveLumens(stranger.publicKey())], upkeep, [distributionKey]),
  row("destination", "a stranger's account", createChannel(stranger.publicKey()), upkeep, [distributionKey]),
  row(
    "destination",
    "a stranger sponsored",
    [Operation.beginSponsoringFutureReserves({ source: ours, sponsoredId: stranger.publicKey() })],
    upkeep,
    [distributionKey],
  ),
]

const sources: ReadonlyArray<Refused> = [
  row("transaction_source", "a stranger's sequence", [pay()], { source: stranger.publicKey() }),
  row("transaction_source", "a reward from the distribution account's sequence", [pay()], { source: ours }, [
    distributionKey,
  ]),
  rowOf("transaction_source", "upkeep from a channel's sequence", (channel) => [giveLumens(channel)], {}, [
    channelKey(0),
    distributionKey,
  ]),
  rowOf(
    "transaction_source",
    "a reward among upkeep",
    (channel) => [giveLumens(channel), pay()],
    {},
    BATCH_KEYS,
  ),
  row("operation_source", "the channel itself pays", [
    Operation.payment({ destination: wallet, asset, amount: "1" }),
  ]),
  row("operation_source", "a stranger pays", [pay("1", { source: stranger.publicKey() })]),
  rowOf(
    "operation_source",
    "the distribution account's own sponsorship",
    () => [Operation.endSponsoringFutureReserves({ source: ours })],
    upkeep,
    [distributionKey],
  ),
  bumpRow("fee_source", "a stranger pays the fee", (inner) =>
    bumpOf(stranger.publicKey(), 1_000, inner).toXdr(),
  ),
  bumpRow(
    "fee_source",
    "the distribution account pays the fee",
    (inner) => bumpOf(ours, 1_000, inner).toXdr(),
    distributionKey,
  ),
]

const bounds: ReadonlyArray<Refused> = [
  row("preconditions", "another sequence would do", [pay()], { minSequence: "1" }),
  row("time_bound", "none", [pay()], { endless: true }),
  row("time_bound", "an hour ahead", [pay()], { secondsAhead: 3_600 }),
  row("ledger_bound", "none", [pay()], { ledgerMax: 0 }),
  row("fee", "above the cap for each operation", [pay()], { fee: 10_001 }),
  bumpRow("fee", "a bump above the cap", (inner, channel) => bumpOf(channel, 10_001, inner).toXdr()),
  row("memo", "none on a reward", [pay()], { memo: Memo.none() }),
  row("memo", "a text on a reward", [pay()], { memo: Memo.text("hello") }),
]

const sums: ReadonlyArray<Refused> = [
  row("transaction_cap", "one payment above the cap", [pay("1000.0000001")]),
  row("transaction_cap", "payments and balances that are above it together", [
    pay("600"),
    pay("375.0000001"),
    leave(),
  ]),
  rowOf("lumens", "too much for one channel", (channel) => [giveLumens(channel, "50.0000001")], upkeep, [
    distributionKey,
  ]),
  rowOf(
    "lumens",
    "too much for many",
    (channel) => Array.from({ length: 21 }, () => giveLumens(channel, "50")),
    upkeep,
    [distributionKey],
  ),
]

const keysAndSignatures: ReadonlyArray<Refused> = [
  row("keys", "the channel's is missing", [pay()], {}, [distributionKey]),
  row("keys", "the distribution account's is missing", [pay()], {}, [channelKey(0)]),
  row("keys", "one too many", [pay()], {}, [...BATCH_KEYS, channelKey(1)]),
  row("keys", "another channel's", [pay()], {}, [channelKey(1), distributionKey]),
  row("keys", "none", [pay()], {}, []),
  bumpRow(
    "keys",
    "another channel's for a fee bump",
    (inner, channel) => bumpOf(channel, 1_000, inner).toXdr(),
    channelKey(1),
  ),
  {
    rule: "signatures",
    title: "signed already",
    make: (signer) =>
      Effect.gen(function* () {
        const transaction = yield* transactionOf(signer, [pay()])
        return {
          envelopeXdr: (yield* signer.sign(transaction.toXdr(), BATCH_KEYS)).envelopeXdr,
          keys: BATCH_KEYS,
        }
      }),
  },
  bumpRow("signatures", "an inner transaction without signatures", (inner, channel) =>
    bumpOf(channel, 1_000, withoutSignatures(inner, 0)).toXdr(),
  ),
  bumpRow("signatures", "one inner signature is missing", (inner, channel) =>
    bumpOf(channel, 1_000, withoutSignatures(inner, 1)).toXdr(),
  ),
  bumpRow("signatures", "inner signatures of another transaction", (inner, channel) =>
    bumpOf(channel, 1_000, withAmount(inner, "26")).toXdr(),
  ),
]

const envelopes: ReadonlyArray<Refused> = [
  {
    rule: "envelope",
    title: "no XDR",
    make: () => Effect.succeed({ envelopeXdr: "AAAA", keys: BATCH_KEYS }),
  },
  {
    rule: "envelope",
    title: "bytes behind the envelope",
    make: (signer) =>
      Effect.map(transactionOf(signer, [pay()]), (transaction) => ({
        envelopeXdr: Buffer.concat([transaction.toEnvelope().toXdr(), Buffer.alloc(4)]).toString("base64"),
        keys: BATCH_KEYS,
      })),
  },
]

function zeroPayment() {
  return new xdr.Operation({
    sourceAccount: distribution.xdrMuxedAccount(),
    body: xdr.OperationBody.payment(
      new xdr.PaymentOp({
        destination: stranger.xdrMuxedAccount(),
        asset: asset.toXdrObject(),
        amount: 0n,
      }),
    ),
  })
}

export const REFUSED: ReadonlyArray<Refused> = [
  ...envelopes,
  ...operationTypes,
  ...operations,
  ...sources,
  ...bounds,
  ...sums,
  ...keysAndSignatures,
]
