/** Records of the public network, where they are at hand: ../shared/fixtures/mainnet. */
import { beforeAll, describe, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { hash, xdr } from "@stellar/stellar-sdk"
import initXdrJson, { decode, encode } from "@stellar/stellar-xdr-json"
import { entryFrom, entryXdr } from "../../layers/localnet/ledger/EntryXdr.ts"
import { frameOf } from "../../layers/localnet/ledger/Frame.ts"

const DIRECTORY = join(import.meta.dir, "../../../shared/fixtures/mainnet")
const present = existsSync(DIRECTORY)
if (!present) console.log("skipped: ../shared/fixtures/mainnet is absent")

interface TransactionRecord {
  readonly txHash: string
  readonly envelopeXdr: string
  readonly resultXdr: string
  readonly resultMetaXdr: string
}

const records = <A>(name: string): ReadonlyArray<A> =>
  present ? JSON.parse(readFileSync(join(DIRECTORY, name), "utf8")).records : []

const PUBLIC = "Public Global Stellar Network ; September 2015"

describe.skipIf(!present)("mainnet's records", () => {
  beforeAll(async () => {
    await initXdrJson()
  })

  test("envelopes hash to the hashes that the network gave them", () => {
    const networkId = hash(PUBLIC)
    for (const { envelopeXdr, txHash } of records<TransactionRecord>("rpc-transactions.json")) {
      expect(frameOf(Buffer.from(envelopeXdr, "base64"), networkId).hash).toBe(txHash)
    }
  })

  test("envelopes, results and meta decode and encode to the same bytes, here and in the Rust codec", () => {
    for (const record of records<TransactionRecord>("rpc-transactions.json")) {
      const { envelopeXdr, resultXdr, resultMetaXdr } = record
      expect(xdr.TransactionEnvelope.fromXdr(envelopeXdr, "base64").toXdr("base64")).toBe(envelopeXdr)
      expect(xdr.TransactionResult.fromXdr(resultXdr, "base64").toXdr("base64")).toBe(resultXdr)
      expect(xdr.TransactionMeta.fromXdr(resultMetaXdr, "base64").toXdr("base64")).toBe(resultMetaXdr)
      expect(encode("TransactionEnvelope", decode("TransactionEnvelope", envelopeXdr))).toBe(envelopeXdr)
      expect(encode("TransactionResult", decode("TransactionResult", resultXdr))).toBe(resultXdr)
      expect(encode("TransactionMeta", decode("TransactionMeta", resultMetaXdr))).toBe(resultMetaXdr)
    }
  })

  test("account, trustline and claimable balance entries survive the engine's own form", () => {
    let seen = 0
    for (const { resultMetaXdr } of records<TransactionRecord>("rpc-transactions.json")) {
      const meta = xdr.TransactionMeta.fromXdr(resultMetaXdr, "base64")
      if (meta.type !== "v4") continue
      const changes = [...meta.v4.txChangesBefore, ...meta.v4.operations.flatMap((one) => one.changes)]
      for (const change of changes) {
        if (change.type !== "ledgerEntryUpdated" && change.type !== "ledgerEntryState") continue
        const entry = change.value
        if (!(entry instanceof xdr.LedgerEntry) || !isKept(entry)) continue
        expect(entryXdr(entryFrom(entry)).toXdr("base64")).toBe(entry.toXdr("base64"))
        seen++
      }
    }
    expect(seen).toBeGreaterThan(50)
  })

  test("headers: the hash that the network gave is the SHA-256 of the header", () => {
    for (const { headerXdr } of records<{ headerXdr: string }>("rpc-ledgers.json")) {
      const entry = xdr.LedgerHeaderHistoryEntry.fromXdr(headerXdr, "base64")
      expect(entry.toXdr("base64")).toBe(headerXdr)
      expect(Buffer.from(hash(entry.header.toXdr())).toString("hex")).toBe(entry.hash.toString())
    }
  })
})

/** Entries that this network can hold: no offers, no pool shares, no liabilities. */
const isKept = (entry: xdr.LedgerEntry): boolean => {
  const { data } = entry
  if (data.type === "account") {
    const { ext } = data.account
    return ext.type === "v0" || (ext.v1.liabilities.buying === 0n && ext.v1.liabilities.selling === 0n)
  }
  if (data.type === "trustline") {
    return data.trustLine.ext.type === "v0" && data.trustLine.asset.type !== "assetTypePoolShare"
  }
  return data.type === "data" || data.type === "claimableBalance"
}
