/** A fee bump holds our envelope unchanged, offers just the fee that it was told, and is as the SDK builds it. */
import { expect, test } from "bun:test"
import {
  Account,
  Asset,
  FeeBumpTransaction,
  Operation,
  Transaction,
  TransactionBuilder,
} from "@stellar/stellar-sdk"
import { buildFeeBump } from "../../src/issuance/FeeBump.ts"
import { keypairNamed } from "./FeeAccounts.ts"

const PASSPHRASE = "Fee bids ; 2026"
const channel = keypairNamed("channel")
const distribution = keypairNamed("distribution")

const signedInner = () => {
  const pay = Operation.payment({
    source: distribution.publicKey(),
    destination: channel.publicKey(),
    asset: Asset.native(),
    amount: "1",
  })
  const transaction = new TransactionBuilder(new Account(channel.publicKey(), "7"), {
    fee: "100",
    networkPassphrase: PASSPHRASE,
  })
    .addOperation(pay)
    .addOperation(pay)
    .setTimeout(0)
    .build()
  transaction.sign(channel, distribution)
  return transaction
}

const bumped = (feeStroops: bigint) => {
  const built = TransactionBuilder.fromXDR(
    buildFeeBump({ innerXdr: signedInner().toXDR(), feeAddress: channel.publicKey(), feeStroops }),
    PASSPHRASE,
  )
  if (!(built instanceof FeeBumpTransaction)) throw new Error("no fee bump")
  return built
}

test("the transaction inside is ours to the byte, with both signatures", () => {
  const bump = bumped(3_001n)
  expect(bump.innerTransaction.toXDR()).toBe(signedInner().toXDR())
  expect(bump.innerTransaction.signatures.length).toBe(2)
  expect(bump.signatures).toEqual([])
  expect(bump.feeSource).toBe(channel.publicKey())
  // 3 operations: no whole rate gives 3,001.
  expect(bump.fee).toBe("3001")
})

test("where the fee is a multiple it is what the SDK builds", () => {
  const bySdk = TransactionBuilder.buildFeeBumpTransaction(channel, "1000", signedInner(), PASSPHRASE)
  expect(bumped(3_000n).toXDR()).toBe(bySdk.toXDR())
})

test("a fee bump cannot be bumped", () => {
  const bump = bumped(3_000n).toXDR()
  expect(() =>
    buildFeeBump({ innerXdr: bump, feeAddress: channel.publicKey(), feeStroops: 60_000n }),
  ).toThrow("envelopeTypeTxFeeBump")
  expect(signedInner()).toBeInstanceOf(Transaction)
})
