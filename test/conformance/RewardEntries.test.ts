/**
 * What a batch leaves on the ledger, read back through the ports on both wires: a payment to an M address, a claimable
 * balance under the id that its result names, and the entries that a recipient is judged by.
 */
import { describe, expect } from "bun:test"
import { createHash } from "node:crypto"
import {
  Account,
  Asset,
  Claimant,
  type Keypair,
  MuxedAccount,
  Operation,
  TransactionBuilder,
  xdr,
} from "@stellar/stellar-sdk"
import { Effect, Option } from "effect"
import type { Network } from "../../layers/localnet/Network.ts"
import { Horizon } from "../../src/ports/Horizon.ts"
import { SorobanRpc } from "../../src/ports/SorobanRpc.ts"
import { alice, bob, inProcess, overHttp, sequenceOf } from "../localnet/faults/Scene.ts"
import { live } from "../support/it.ts"
import { keypairOf, PASSPHRASE } from "../support/TestNetwork.ts"

/** Alice issues it, so that she needs no line. */
const asset = new Asset("NOVA", alice.publicKey())
const nobody = keypairOf("no account yet")

const sign = (network: Network, keys: Keypair, ...operations: ReadonlyArray<xdr.Operation>) => {
  const account = new Account(keys.publicKey(), String(sequenceOf(network, keys)))
  const builder = new TransactionBuilder(account, { fee: "100", networkPassphrase: PASSPHRASE }).setTimeout(0)
  for (const operation of operations) builder.addOperation(operation)
  const transaction = builder.build()
  transaction.sign(keys)
  return { envelopeXdr: transaction.toXDR(), hash: Buffer.from(transaction.hash()).toString("hex") }
}

/** CAP-23: SHA-256 of the operation's id: its transaction's source, sequence and its index. */
const balanceIdOf = (source: Keypair, sequence: bigint, index: number) => {
  const preimage = xdr.HashIdPreimage.envelopeTypeOpId(
    new xdr.HashIdPreimageOperationId({
      sourceAccount: source.xdrAccountId(),
      seqNum: sequence,
      opNum: index,
    }),
  )
  return createHash("sha256").update(preimage.toXDR()).digest("hex")
}

const hexOf = (id: xdr.ClaimableBalanceId) => Buffer.from(id.v0.toBytes()).toString("hex")

const balanceIdsIn = (resultXdr: string) => {
  const { result } = xdr.TransactionResult.fromXDR(resultXdr, "base64")
  if (result.type !== "txSuccess") throw new Error(result.type)
  return result.results.map((operation) => {
    const made = operation.type === "opInner" ? operation.tr.value : undefined
    return made?.type === "createClaimableBalanceSuccess" ? hexOf(made.balanceId) : undefined
  })
}

const keysOf = (balanceId: string) => {
  const line = new xdr.LedgerKeyTrustLine({
    accountId: bob.xdrAccountId(),
    asset: xdr.TrustLineAsset.assetTypeCreditAlphanum4(
      new xdr.AlphaNum4({ assetCode: Buffer.from("NOVA"), issuer: alice.xdrAccountId() }),
    ),
  })
  const memo = new xdr.LedgerKeyData({ accountId: bob.xdrAccountId(), dataName: "config.memo_required" })
  const id = xdr.ClaimableBalanceId.claimableBalanceIdTypeV0(Buffer.from(balanceId, "hex"))
  return [
    xdr.LedgerKey.trustline(line),
    xdr.LedgerKey.data(memo),
    xdr.LedgerKey.claimableBalance(new xdr.LedgerKeyClaimableBalance({ balanceId: id })),
  ].map((key) => key.toXDR("base64"))
}

/** Kind and content of an entry. */
const tellEntry = (text: string) => {
  const data = xdr.LedgerEntryData.fromXDR(text, "base64")
  if (data.type === "trustline") return `line ${data.trustLine.balance}`
  if (data.type === "data") return `data ${Buffer.from(data.data.dataValue.toBytes()).toString()}`
  return data.type === "claimableBalance" ? `balance ${data.claimableBalance.amount}` : data.type
}

for (const [wire, open] of Object.entries({ "over HTTP": overHttp, "in process": inProcess })) {
  describe(wire, () => {
    live("a batch of a payment to an M address and a claimable balance", () =>
      Effect.gen(function* () {
        const { layers, tick, truth } = yield* open()
        yield* Effect.gen(function* () {
          const [rpc, horizon] = [yield* SorobanRpc, yield* Horizon]
          const prepared = sign(
            truth,
            bob,
            Operation.changeTrust({ asset }),
            Operation.manageData({ name: "config.memo_required", value: "1" }),
          )
          expect((yield* rpc.sendTransaction(prepared.envelopeXdr)).status).toBe("PENDING")
          tick()
          const muxed = new MuxedAccount(new Account(bob.publicKey(), "0"), "77").accountId()
          const reclaim = Claimant.predicateNot(Claimant.predicateBeforeAbsoluteTime("2000000000"))
          const batch = sign(
            truth,
            alice,
            Operation.payment({ destination: muxed, asset, amount: "25" }),
            Operation.createClaimableBalance({
              asset,
              amount: "3",
              claimants: [new Claimant(nobody.publicKey()), new Claimant(alice.publicKey(), reclaim)],
            }),
          )
          const balanceId = balanceIdOf(alice, sequenceOf(truth, alice) + 1n, 1)
          expect((yield* rpc.sendTransaction(batch.envelopeXdr)).status).toBe("PENDING")
          tick()

          const found = Option.getOrThrow((yield* rpc.getTransaction(batch.hash)).included)
          expect(balanceIdsIn(found.resultXdr)).toEqual([undefined, balanceId])
          const { entries } = yield* rpc.getLedgerEntries(keysOf(balanceId))
          expect(new Set(entries.map(({ xdr: data }) => tellEntry(data)))).toEqual(
            new Set(["line 250000000", "data 1", "balance 30000000"]),
          )

          const page = { order: "desc", limit: 1, cursor: Option.none() } as const
          const [listed] = yield* horizon.transactions(alice.publicKey(), page)
          expect(listed).toMatchObject({ hash: batch.hash, successful: true, envelopeXdr: batch.envelopeXdr })
          expect(listed?.resultXdr).toBe(found.resultXdr)
          const [, paid] = yield* horizon.payments(bob.publicKey(), { cursor: Option.none(), limit: 10 })
          expect(paid).toMatchObject({
            transactionHash: batch.hash,
            to: bob.publicKey(),
            asset: `NOVA:${alice.publicKey()}`,
            amountStroops: 250_000_000n,
          })
          // Alice too, as the one who may take it back, and the claimant who does not exist yet.
          const [claimants] = yield* horizon.transactions(nobody.publicKey(), page)
          expect(claimants?.hash).toBe(batch.hash)
        }).pipe(Effect.provide(layers, { local: true }))
      }),
    )
  })
}
