/** Ledgers and their hashes (Stellar-ledger.x), checked with the SDK's codec and an independent one. */
import { beforeAll, describe, expect, test } from "bun:test"
import {
  Asset,
  hash,
  type Keypair,
  Operation,
  Transaction,
  TransactionBuilder,
  xdr,
} from "@stellar/stellar-sdk"
import initXdrJson, { decode, encode } from "@stellar/stellar-xdr-json"
import { openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { skipList } from "../../layers/localnet/ledger/Header.ts"
import type { AppliedTransaction } from "../../layers/localnet/Network.ts"
import { newKeys, openTestNetwork, PASSPHRASE, XLM } from "./TestNetwork.ts"

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

const busy = () => {
  const tools = openTestNetwork()
  const [one, other, third] = tools.fund(3) as [Keypair, Keypair, Keypair]
  const asset = new Asset("NOVA", one.publicKey())
  const others = tools.fund(7)
  const nobody = Operation.payment({ destination: newKeys().publicKey(), asset: Asset.native(), amount: "1" })
  tools.submit(tools.build(one, [nobody]))
  tools.submit(tools.build(other, [Operation.changeTrust({ asset })]))
  tools.submit(tools.build(third, [Operation.setOptions({ homeDomain: "nova.example" })]))
  for (const keys of others) {
    tools.submit(tools.build(keys, [Operation.bumpSequence({ bumpTo: "0" })]))
  }
  const closed = tools.close()
  return { ...tools, closed }
}

describe("headers", () => {
  test("genesis: ledger 1, 100 billion lumens on the key of the passphrase", () => {
    const network = openNetwork({ settings: { passphrase: PASSPHRASE }, now: () => 0, friendbotHelpers: 0 })
    expect(network.latest().sequence).toBe(1)
    expect(network.latest().header.totalCoins).toBe(1_000_000_000_000_000_000n)
    expect(network.networkId).toBe(hex(hash(PASSPHRASE)))
    const { balance } = openTestNetwork()
    expect(balance(openTestNetwork().root)).toBe(100_000_000_000n * XLM)
  })

  test("each ledger's hash is the SHA-256 of its header, and the next one names it", () => {
    const { network, close } = busy()
    for (let at = 0; at < 130; at++) close()
    let previous: string | undefined
    for (let sequence = 1; sequence <= network.latest().sequence; sequence++) {
      const ledger = network.ledger(sequence)
      if (ledger === undefined) throw new Error(`no ledger ${sequence}`)
      expect(ledger.header.ledgerSeq).toBe(sequence)
      expect(hex(hash(Buffer.from(ledger.headerXdr, "base64")))).toBe(ledger.hash)
      if (previous !== undefined) expect(ledger.previousHash).toBe(previous)
      previous = ledger.hash
    }
  })

  test("txSetResultHash is the SHA-256 of the TransactionResultSet", () => {
    const { closed } = busy()
    const results = closed.transactions.map(
      (one) => new xdr.TransactionResultPair({ transactionHash: one.hash, result: one.result }),
    )
    const set = new xdr.TransactionResultSet({ results })
    expect(hex(closed.header.txSetResultHash.value)).toBe(hex(hash(set.toXdr())))
  })

  test("txSetHash is the SHA-256 of the generalized transaction set, sorted by envelope hash", () => {
    const { closed } = busy()
    const byHash = closed.transactions
      .map(({ envelope }) => ({ envelope, digest: hex(hash(envelope.toXdr())) }))
      .sort((one, other) => (one.digest < other.digest ? -1 : 1))
    const component = xdr.TxSetComponent.txsetCompTxsMaybeDiscountedFee(
      new xdr.TxSetComponentTxsMaybeDiscountedFee({
        baseFee: 100n,
        txs: byHash.map(({ envelope }) => envelope),
      }),
    )
    const parallel = new xdr.ParallelTxsComponent({ baseFee: null, executionStages: [] })
    const set = xdr.GeneralizedTransactionSet.v1TxSet(
      new xdr.TransactionSetV1({
        previousLedgerHash: closed.previousHash,
        phases: [
          xdr.TransactionPhase.v0Components([component]),
          xdr.TransactionPhase.parallelTxsComponent(parallel),
        ],
      }),
    )
    const setHash = hash(set.toXdr())
    expect(hex(closed.header.scpValue.txSetHash.value)).toBe(hex(setHash))
    // Applied in the order of envelope hash XOR set hash (ApplyTxSorter, src/herder/TxSetFrame.cpp).
    const rank = (one: AppliedTransaction) =>
      hex(hash(one.envelope.toXdr()).map((byte, at) => byte ^ (setHash[at] ?? 0)))
    const ranks = closed.transactions.map(rank)
    expect(ranks).toEqual(ranks.toSorted())
    expect(closed.transactions.map(({ applicationOrder }) => applicationOrder)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ])
  })

  test("the fee pool grows by the fees charged; the state hash changes with the state alone", () => {
    const { network, closed, close } = busy()
    const before = network.ledger(closed.sequence - 1)
    expect(closed.header.feePool - (before?.header.feePool ?? 0n)).toBe(1000n)
    expect(closed.header.bucketListHash.equals(before?.header.bucketListHash ?? closed.header)).toBe(false)
    expect(close().header.bucketListHash.equals(closed.header.bucketListHash)).toBe(true)
  })

  test("close times rise by a second at least, whatever the clock says", () => {
    const { network } = openTestNetwork()
    const { closeTime } = network.latest()
    expect(network.closeLedger(closeTime - 100).closeTime).toBe(closeTime + 1)
    expect(network.closeLedger(closeTime + 1).closeTime).toBe(closeTime + 2)
  })

  test("skip list: every 50 ledgers the newest, every 5,000 behind a 50 one step older", () => {
    // BucketManager::calculateSkipValues: at 5,050 the value of slot 0 moves to slot 1.
    const [a, b, c, d] = [1, 2, 3, 4].map((byte) => new xdr.Hash(new Uint8Array(32).fill(byte)))
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("no hashes")
    const fresh = new Uint8Array(32).fill(9)
    expect(skipList([a, b, c, d], 49, fresh)).toEqual([a, b, c, d])
    expect(skipList([a, b, c, d], 50, fresh)).toEqual([fresh, b, c, d])
    expect(skipList([a, b, c, d], 5000, fresh)).toEqual([fresh, b, c, d])
    expect(skipList([a, b, c, d], 5050, fresh)).toEqual([fresh, a, c, d])
    expect(skipList([a, b, c, d], 55050, fresh)).toEqual([fresh, a, b, d])
  })
})

describe("an independent codec reads what we write", () => {
  beforeAll(async () => {
    await initXdrJson()
  })

  /** Decodes and encodes again with the Rust codec. */
  const roundTrip = (type: string, base64: string) => encode(type, decode(type, base64))

  test("headers, results, meta, fee changes, entries: the same bytes", () => {
    const { network, closed } = busy()
    expect(roundTrip("LedgerHeader", closed.headerXdr)).toBe(closed.headerXdr)
    for (const one of closed.transactions) {
      expect(roundTrip("TransactionEnvelope", one.envelopeXdr)).toBe(one.envelopeXdr)
      expect(roundTrip("TransactionResult", one.resultXdr)).toBe(one.resultXdr)
      expect(roundTrip("TransactionMeta", one.resultMetaXdr)).toBe(one.resultMetaXdr)
      expect(roundTrip("LedgerEntryChanges", one.feeMetaXdr)).toBe(one.feeMetaXdr)
      for (const address of one.participants) {
        for (const { entry } of network.trustlines(address)) {
          expect(roundTrip("LedgerEntry", entry.toXdr("base64"))).toBe(entry.toXdr("base64"))
        }
      }
    }
  })

  test("meta tells each change from the state before to the state after", () => {
    const { closed } = busy()
    const trust = closed.transactions.find(({ envelope }) =>
      JSON.stringify(envelope).includes("change_trust"),
    )
    if (trust === undefined) throw new Error("no trustline was made")
    const meta = JSON.parse(decode("TransactionMeta", trust.resultMetaXdr))
    const kinds = (changes: ReadonlyArray<object>) => changes.map((change) => Object.keys(change)[0])
    expect(kinds(meta.v4.tx_changes_before)).toEqual(["state", "updated"])
    expect(meta.v4.tx_changes_after).toEqual([])
    expect(meta.v4.operations).toHaveLength(1)
    expect(kinds(meta.v4.operations[0].changes).toSorted()).toEqual(["created", "state", "updated"])
    const fees = JSON.parse(decode("LedgerEntryChanges", trust.feeMetaXdr))
    expect(kinds(fees)).toEqual(["state", "updated"])
    const balance = (change: { data: { account: { balance: string } } }) =>
      BigInt(change.data.account.balance)
    expect(balance(fees[0].state) - balance(fees[1].updated)).toBe(100n)
  })
})

test("a fee bump's meta shows its payer before the inner source, as mainnet's records do", () => {
  const tools = openTestNetwork()
  const [keys, payer] = tools.fund(2) as [Keypair, Keypair]
  const inner = tools.build(keys, [Operation.bumpSequence({ bumpTo: "0" })], { fee: 0n })
  const envelope = TransactionBuilder.fromXDR(inner.envelopeXdr, PASSPHRASE)
  if (!(envelope instanceof Transaction)) throw new Error("not a transaction")
  const bump = TransactionBuilder.buildFeeBumpTransaction(payer, "100", envelope, PASSPHRASE)
  bump.sign(payer)
  const submission = tools.network.submit(bump.toEnvelope().toXdr("base64"))
  tools.close()
  const applied = tools.network.transaction(submission.hash)
  const meta = xdr.TransactionMeta.fromXdr(applied?.resultMetaXdr ?? "", "base64")
  if (meta.type !== "v4") throw new Error("not v4")
  const accounts = meta.v4.txChangesBefore.map((change) => {
    const data = change.type === "ledgerEntryRemoved" ? undefined : change.value.data
    return data?.type === "account" ? hex(data.account.accountId.ed25519.value) : change.type
  })
  const [one, other] = [hex(payer.rawPublicKey()), hex(keys.rawPublicKey())]
  expect(accounts).toEqual([one, one, other, other])
})

test("a retention window drops the oldest ledgers and their transactions", () => {
  const tools = openTestNetwork({ retentionLedgers: 10 })
  const keys = tools.fundOne()
  const toSelf = Operation.payment({ destination: keys.publicKey(), asset: Asset.native(), amount: "1" })
  const built = tools.build(keys, [toSelf])
  tools.apply(built)
  expect(tools.network.transactionsOf(keys.publicKey())).toHaveLength(2)
  for (let at = 0; at < 10; at++) tools.close()
  const { sequence } = tools.network.latest()
  expect(tools.network.oldestLedger()).toBe(sequence - 9)
  expect(tools.network.ledger(sequence - 10)).toBeUndefined()
  expect(tools.network.ledger(sequence - 9)?.header.ledgerSeq).toBe(sequence - 9)
  expect(tools.network.transaction(built.hash)).toBeUndefined()
  expect(tools.network.transactionsOf(keys.publicKey())).toHaveLength(0)
  // The account itself is still there.
  expect(tools.balance(keys)).toBe(1000n * XLM - 100n)
})
