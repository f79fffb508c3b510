/** Somebody else pays the fee (CAP-15). */
import {
  Asset,
  FeeBumpTransaction,
  Keypair,
  Operation,
  type Transaction,
  TransactionBuilder,
  xdr,
} from "@stellar/stellar-sdk"
import { stroops } from "./Amounts.ts"
import { chapter, holds, type Step, same } from "./Chapter.ts"
import type { Client } from "./Client.ts"

interface Scene {
  readonly payer: Keypair
  /** Has no lumen to spend. */
  readonly poor: Keypair
  readonly issuer: Keypair
  readonly asset: Asset
}

const open = async (client: Client): Promise<Scene> => {
  const [payer, issuer] = await client.people(await client.bank(), 2)
  if (payer === undefined || issuer === undefined) throw new Error("no accounts")
  const poor = Keypair.random()
  const operations = [
    Operation.beginSponsoringFutureReserves({ sponsoredId: poor.publicKey() }),
    Operation.createAccount({ destination: poor.publicKey(), startingBalance: "0" }),
    Operation.endSponsoringFutureReserves({ source: poor.publicKey() }),
  ]
  await client.apply(payer, operations, { signers: [payer, poor] })
  return { payer, poor, issuer, asset: new Asset("NOVA", issuer.publicKey()) }
}

const BID = 5000

const bumped = (client: Client, payer: Keypair, inner: Transaction, bid = BID) => {
  const bump = TransactionBuilder.buildFeeBumpTransaction(payer, String(bid), inner, client.target.passphrase)
  bump.sign(payer)
  return bump
}

/** The SDK's builder refuses a bid below the inner transaction's, so the fee is written into the envelope. */
const withFee = (client: Client, bump: FeeBumpTransaction, fee: bigint): FeeBumpTransaction => {
  const envelope = bump.toEnvelope()
  if (envelope.type !== "envelopeTypeTxFeeBump") throw new Error("no fee bump")
  const { feeSource, innerTx, ext } = envelope.feeBump.tx
  const tx = new xdr.FeeBumpTransaction({ feeSource, fee, innerTx, ext })
  const unsigned = new xdr.FeeBumpTransactionEnvelope({ tx, signatures: [] })
  return new FeeBumpTransaction(
    xdr.TransactionEnvelope.envelopeTypeTxFeeBump(unsigned),
    client.target.passphrase,
  )
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const steps: ReadonlyArray<Step<Scene>> = [
  {
    name: "who has no lumens cannot pay the fee: tx_insufficient_balance",
    source: "TransactionFrame.cpp commonValid: txINSUFFICIENT_BALANCE",
    play: async (client, { poor }) => {
      const codes = await client.refusal(poor, [Operation.bumpSequence({ bumpTo: "1" })])
      same(codes, { transaction: "tx_insufficient_balance" }, "codes")
    },
  },
  {
    name: "bumped, the payer pays for inner + 1 operations, and both hashes find it",
    source: "CAP-15; FeeBumpTransactionFrame.cpp getNumOperations",
    play: async (client, { payer, poor }) => {
      const inner = await client.build(poor, [Operation.bumpSequence({ bumpTo: "1" })], { bid: 100 })
      const before = stroops(await client.balance(payer))
      const bump = bumped(client, payer, inner)
      const applied = await client.submit(bump)
      same(applied.hash, hex(bump.hash()), "the bump's own hash")
      same(before - stroops(await client.balance(payer)), applied.feeCharged, "the payer paid the fee")
      holds(applied.feeCharged >= 200n && applied.feeCharged <= BigInt(2 * BID), "a fee for two operations")
      const shown = await client.horizon.transactions().transaction(hex(inner.hash())).call()
      same(
        [shown.successful, shown.fee_account, shown.source_account],
        [true, payer.publicKey(), poor.publicKey()],
        "found by the inner hash",
      )
      same(await client.balance(poor), "0.0000000", "the poor one's balance")
    },
  },
  {
    name: "one stroop below the least for two operations: tx_insufficient_fee",
    source: "CAP-15; FeeBumpTransactionFrame.cpp commonValidPreSeqNum: getMinInclusionFee of inner + 1",
    play: async (client, { payer, poor }) => {
      const inner = await client.build(poor, [Operation.bumpSequence({ bumpTo: "1" })], { bid: 100 })
      const cheap = withFee(client, bumped(client, payer, inner), 199n)
      cheap.sign(payer)
      same(await client.refused(cheap), { transaction: "tx_insufficient_fee" }, "codes")
    },
  },
  {
    name: "an inner transaction that fails: both codes are told, the payer pays all the same",
    source: "CAP-15: txFEE_BUMP_INNER_FAILED; Horizon result_codes.inner_transaction",
    play: async (client, { asset, issuer, payer, poor }) => {
      const pay = Operation.payment({ destination: poor.publicKey(), asset, amount: "1" })
      const inner = await client.build(issuer, [pay], { bid: 100 })
      const before = stroops(await client.balance(payer))
      const expected = {
        transaction: "tx_fee_bump_inner_failed",
        inner_transaction: "tx_failed",
        operations: ["op_no_trust"],
      }
      same(await client.refused(bumped(client, payer, inner)), expected, "codes")
      const spent = before - stroops(await client.balance(payer))
      holds(spent >= 200n && spent <= BigInt(2 * BID), "the fee was charged")
    },
  },
  {
    name: "the bump's signature is another's: tx_bad_auth",
    source: "FeeBumpTransactionFrame.cpp checkValid: txBAD_AUTH",
    play: async (client, { issuer, payer, poor }) => {
      const inner = await client.build(poor, [Operation.bumpSequence({ bumpTo: "1" })], { bid: 100 })
      const bump = TransactionBuilder.buildFeeBumpTransaction(
        payer,
        String(BID),
        inner,
        client.target.passphrase,
      )
      bump.sign(issuer)
      same(await client.refused(bump), { transaction: "tx_bad_auth" }, "codes")
    },
  },
  {
    name: "an inner transaction that is not valid: its code inside",
    source: "CAP-15: an invalid inner transaction gives txFEE_BUMP_INNER_FAILED before inclusion, too",
    play: async (client, { payer, poor }) => {
      const inner = await client.build(poor, [Operation.bumpSequence({ bumpTo: "1" })], {
        bid: 100,
        sequenceOffset: 5n,
      })
      const expected = { transaction: "tx_fee_bump_inner_failed", inner_transaction: "tx_bad_seq" }
      same(await client.refused(bumped(client, payer, inner)), expected, "codes")
    },
  },
]

export const feeBumps = chapter("fee bumps", open, steps)
