/** Bytes written without the SDK, held against the SDK's codec. */
import { describe, expect, test } from "bun:test"
import { xdr } from "@stellar/stellar-sdk"
import fc from "fast-check"
import type { Entry, Predicate } from "../../layers/localnet/ledger/Entries.ts"
import { writeChanges, writeEntry, writeEntryKey } from "../../layers/localnet/ledger/EntryBytes.ts"
import { entryKeyXdr, entryXdr } from "../../layers/localnet/ledger/EntryXdr.ts"
import { feeMetaBytes, metaBytes } from "../../layers/localnet/ledger/Meta.ts"
import type { EntryChange } from "../../layers/localnet/ledger/State.ts"
import { makeXdrWriter, type XdrWriter } from "../../layers/localnet/ledger/XdrWriter.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const hexText = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(hex)
const key = hexText(32)
const optionalKey = fc.option(key)
const u32 = fc.oneof(fc.nat(300), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1))
const i64 = fc.oneof(fc.bigInt(0n, 10n ** 12n), fc.constantFrom(0n, 1n, 2n ** 63n - 1n))
const code = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/)
const credit = fc.tuple(code, key).map(([name, issuer]) => `${name}:${issuer}`)

const signerKey = fc.oneof(
  fc.tuple(fc.constantFrom("00000000", "00000001", "00000002"), key).map((parts) => parts.join("")),
  fc
    .tuple(key, fc.uint8Array({ minLength: 1, maxLength: 64 }))
    .map(([signer, payload]) => `00000003${signer}${hex(payload)}`),
)

const base = fc.record({
  lastModified: u32,
  sponsor: optionalKey,
  entryExtension: fc.constantFrom(0 as const, 1 as const),
})

const account = fc.record({
  id: key,
  balance: i64,
  sequence: i64,
  subEntries: u32,
  inflationDestination: optionalKey,
  flags: u32,
  homeDomain: fc.uint8Array({ maxLength: 32 }),
  thresholds: fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)),
  signers: fc.array(fc.record({ key: signerKey, weight: u32 }), { maxLength: 5 }),
  extension: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
  sponsored: u32,
  sponsoring: u32,
  signerSponsors: fc.array(optionalKey, { maxLength: 5 }),
  sequenceLedger: u32,
  sequenceTime: fc.oneof(i64, fc.constant(2n ** 64n - 1n)),
})

const predicate: fc.Arbitrary<Predicate> = fc.letrec<{ predicate: Predicate }>((tie) => ({
  predicate: fc.oneof(
    { maxDepth: 3 },
    fc.constant<Predicate>({ is: "unconditional" }),
    fc.record({ is: fc.constantFrom("before", "relative"), seconds: i64 }),
    fc.record({ is: fc.constantFrom("and", "or"), of: fc.tuple(tie("predicate"), tie("predicate")) }),
    fc.record({ is: fc.constant("not"), of: fc.option(tie("predicate")) }),
  ),
})).predicate

const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.tuple(base, account).map(([one, content]): Entry => ({ ...one, ...content, kind: "account" })),
  fc
    .tuple(base, fc.record({ account: key, asset: credit, balance: i64, limit: i64, flags: u32 }))
    .map(([one, content]): Entry => ({ ...one, ...content, kind: "trustline" })),
  fc
    .tuple(
      base,
      fc.record({
        account: key,
        name: fc
          .uint8Array({ minLength: 1, maxLength: 64 })
          .map((name) => Buffer.from(name).toString("latin1")),
        value: fc.uint8Array({ maxLength: 64 }),
      }),
    )
    .map(([one, content]): Entry => ({ ...one, ...content, kind: "data" })),
  fc
    .tuple(
      base,
      fc.record({
        id: key,
        claimants: fc.array(fc.record({ destination: key, predicate }), { minLength: 1, maxLength: 4 }),
        asset: fc.oneof(fc.constant("native"), credit),
        amount: i64,
        clawbackEnabled: fc.boolean(),
      }),
    )
    .map(([one, content]): Entry => ({ ...one, ...content, kind: "claimableBalance" })),
)

/** Before, after, or both; of the same entry or not makes no difference to the codec. */
const change: fc.Arbitrary<EntryChange> = fc
  .tuple(fc.option(entry, { nil: undefined }), fc.option(entry, { nil: undefined }))
  .map(([before, after]) => ({ key: "", before, after }))
const changes = fc.array(change, { maxLength: 4 })

const written = (write: (out: XdrWriter) => void): string => {
  const out = makeXdrWriter()
  // What an earlier use has left in the buffer must not show through.
  out.fixed(new Uint8Array(4096).fill(0xff))
  out.clear()
  write(out)
  return hex(out.copy())
}

const changesXdr = (list: ReadonlyArray<EntryChange>): Array<xdr.LedgerEntryChange> =>
  list.flatMap(({ after, before }) => {
    const found: Array<xdr.LedgerEntryChange> = []
    if (before !== undefined) found.push(xdr.LedgerEntryChange.ledgerEntryState(entryXdr(before)))
    if (after !== undefined && before === undefined)
      found.push(xdr.LedgerEntryChange.ledgerEntryCreated(entryXdr(after)))
    if (after !== undefined && before !== undefined)
      found.push(xdr.LedgerEntryChange.ledgerEntryUpdated(entryXdr(after)))
    if (after === undefined && before !== undefined)
      found.push(xdr.LedgerEntryChange.ledgerEntryRemoved(entryKeyXdr(before)))
    return found
  })

describe("as the SDK writes them", () => {
  test("entries and their keys", () => {
    fc.assert(
      fc.property(entry, (one) => {
        expect(written((out) => writeEntry(out, one))).toBe(hex(entryXdr(one).toXdr()))
        expect(written((out) => writeEntryKey(out, one))).toBe(hex(entryKeyXdr(one).toXdr()))
      }),
      { numRuns: 500 },
    )
  })

  test("changes", () => {
    fc.assert(
      fc.property(changes, (list) => {
        const expected = hex(xdr.encodeArray(xdr.LedgerEntryChange, changesXdr(list)))
        expect(written((out) => writeChanges(out, list))).toBe(expected)
        expect(hex(feeMetaBytes(list))).toBe(expected)
      }),
    )
  })

  test("meta", () => {
    fc.assert(
      fc.property(changes, fc.array(changes, { maxLength: 3 }), (before, operations) => {
        const expected = xdr.TransactionMeta.v4(
          new xdr.TransactionMetaV4({
            ext: xdr.ExtensionPoint.v0(),
            txChangesBefore: changesXdr(before),
            operations: operations.map(
              (list) =>
                new xdr.OperationMetaV2({
                  ext: xdr.ExtensionPoint.v0(),
                  changes: changesXdr(list),
                  events: [],
                }),
            ),
            txChangesAfter: [],
            sorobanMeta: null,
            events: [],
            diagnosticEvents: [],
          }),
        )
        expect(hex(metaBytes({ before, operations }))).toBe(hex(expected.toXdr()))
      }),
    )
  })
})

describe("the writer", () => {
  test("grows past its first buffer without losing what it holds", () => {
    const out = makeXdrWriter()
    for (let at = 0; at < 100_000; at++) out.u32(at)
    const bytes = Buffer.from(out.copy())
    expect(bytes.length).toBe(400_000)
    for (const at of [0, 1, 16_383, 16_384, 99_999]) expect(bytes.readUInt32BE(4 * at)).toBe(at)
  })

  test("refuses a number that does not fit its field", () => {
    const out = makeXdrWriter()
    expect(() => out.u32(-1)).toThrow(RangeError)
    expect(() => out.u32(2 ** 32)).toThrow(RangeError)
    expect(() => out.i64(2n ** 63n)).toThrow(RangeError)
    expect(() => out.u64(-1n)).toThrow(RangeError)
  })
})
