import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Asset, Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { envelopeView } from "../../layers/localnet/horizon/EnvelopeView.ts"
import { resultCodes } from "../../layers/localnet/horizon/ResultCodes.ts"
import { callRpc } from "../../layers/localnet/rpc/RpcDispatch.ts"
import { fixture } from "./Fixtures.ts"
import { codesOf, type Harness, startHarness } from "./Harness.ts"
import { type Schema, violations } from "./SchemaCheck.ts"

interface OpenRpc {
  readonly methods: ReadonlyArray<{
    readonly name: string
    readonly result: { readonly schema: Schema }
    readonly examples?: ReadonlyArray<{
      readonly name: string
      readonly params: ReadonlyArray<{ readonly name: string; readonly value: unknown }>
      readonly result: { readonly value: Record<string, unknown> }
    }>
  }>
}

const text = fixture("specs/stellar-rpc.openrpc.json")
const description = (text === undefined ? { methods: [] } : JSON.parse(text)) as OpenRpc

/** Where the description contradicts its own examples, it is the examples that servers give. */
const excused = (name: string): ReadonlySet<string> => {
  const method = description.methods.find((one) => one.name === name)
  const examples = method?.examples ?? []
  return new Set(
    examples.flatMap((example) => violations(description, method?.result.schema ?? {}, example.result.value)),
  )
}

describe.skipIf(text === undefined)("answers against the OpenRPC description", () => {
  let net: Harness
  let keys: Keypair
  let failedHash = ""
  beforeAll(async () => {
    net = await startHarness()
    keys = await net.fund()
    await codesOf(
      net.apply(keys, [
        Operation.payment({ destination: Keypair.random().publicKey(), asset: Asset.native(), amount: "1" }),
      ]),
    )
    failedHash = net.network.transactionsOf(keys.publicKey()).at(-1)?.hash ?? ""
  })
  afterAll(() => net.stop())

  const check = (name: string, params?: unknown) => {
    const method = description.methods.find((one) => one.name === name)
    if (method === undefined) throw new Error(`${name} is not described`)
    const known = excused(name)
    const answer = JSON.parse(
      JSON.stringify(callRpc(net.network, name, params, { friendbotUrl: "http://f/" })),
    )
    const broken = violations(description, method.result.schema, answer)
    expect(broken.filter((one) => !known.has(one))).toEqual([])
    return answer as Record<string, unknown>
  }

  test("methods without parameters", () => {
    for (const name of ["getHealth", "getNetwork", "getLatestLedger", "getFeeStats", "getVersionInfo"])
      check(name)
  })

  test("getTransaction: found, failed, not found", () => {
    const found = net.network.transactionsOf(keys.publicKey())[0]
    expect(check("getTransaction", { hash: found?.hash })).toMatchObject({ status: "SUCCESS" })
    expect(check("getTransaction", { hash: failedHash })).toMatchObject({ status: "FAILED" })
    expect(check("getTransaction", { hash: "ab".repeat(32) })).toMatchObject({ status: "NOT_FOUND" })
  })

  test("getTransactions, getLedgers, getLedgerEntries", () => {
    expect(check("getTransactions", { startLedger: 1 }).transactions).toBeArray()
    expect(check("getLedgers", { startLedger: 1 }).ledgers).toBeArray()
    const key = xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: keys.xdrPublicKey() }))
    expect(check("getLedgerEntries", { keys: [key.toXdr("base64")] }).entries).toHaveLength(1)
  })

  test("sendTransaction: all four statuses", async () => {
    const first = await net.build(keys, [Operation.setOptions({})])
    const second = await net.build(keys, [Operation.setOptions({})], { sequenceOffset: 1n })
    const bad = await net.build(await net.fund(), [Operation.setOptions({})], { sequenceOffset: 9n })
    const send = (transaction: typeof first) =>
      check("sendTransaction", { transaction: transaction.toEnvelope().toXdr("base64") }).status
    expect([send(first), send(first), send(second), send(bad)]).toEqual([
      "PENDING",
      "DUPLICATE",
      "TRY_AGAIN_LATER",
      "ERROR",
    ])
    net.close()
  })
})

describe.skipIf(text === undefined)("the description's examples", () => {
  const examplesOf = (name: string) => description.methods.find((one) => one.name === name)?.examples ?? []

  test("sendTransaction: every envelope and every error decodes", () => {
    const examples = examplesOf("sendTransaction")
    expect(examples.map(({ result }) => result.value.status)).toEqual([
      "PENDING",
      "DUPLICATE",
      "ERROR",
      "TRY_AGAIN_LATER",
    ])
    for (const { params, result } of examples) {
      const envelope = xdr.TransactionEnvelope.fromXdr(String(params[0]?.value), "base64")
      expect(envelopeView(envelope).operations.length).toBe(1)
      if (result.value.errorResultXdr !== undefined) {
        const decoded = xdr.TransactionResult.fromXdr(String(result.value.errorResultXdr), "base64")
        expect(resultCodes(decoded)).toEqual({ transaction: "tx_bad_seq" })
      }
    }
  })

  test("getTransaction and getTransactions: envelopes, results and meta decode, and encode to the same bytes", () => {
    const listed = examplesOf("getTransactions").flatMap(
      ({ result }) => result.value.transactions as ReadonlyArray<Record<string, unknown>>,
    )
    const single = examplesOf("getTransaction").map(({ result }) => result.value)
    const found = [...listed, ...single].filter(({ status }) => status !== "NOT_FOUND")
    expect(found.length).toBeGreaterThan(10)
    for (const transaction of found) {
      const envelope = xdr.TransactionEnvelope.fromXdr(String(transaction.envelopeXdr), "base64")
      expect(envelope.toXdr("base64")).toBe(String(transaction.envelopeXdr))
      expect(envelope.type === "envelopeTypeTxFeeBump").toBe(transaction.feeBump === true)
      const meta = String(transaction.resultMetaXdr)
      expect(xdr.TransactionMeta.fromXdr(meta, "base64").toXdr("base64")).toBe(meta)
    }
  })
})

const recorded = fixture("rpc-responses/get_latest_ledger.json")

test.skipIf(recorded === undefined)(
  "a node's getLatestLedger: its metadata has the form that is written here",
  () => {
    const { result } = JSON.parse(recorded ?? "") as {
      result: { id: string; metadataXdr: string; headerXdr: string }
    }
    const meta = xdr.LedgerCloseMeta.fromXdr(result.metadataXdr, "base64")
    if (meta.type !== "v2") throw new Error(`meta ${meta.type}`)
    const { ledgerHeader, txSet } = meta.v2
    expect(Buffer.from(ledgerHeader.hash.toBytes()).toString("hex")).toBe(result.id)
    expect(txSet.v1TxSet.phases.map(({ type }) => type)).toEqual(["v0Components", "parallelTxsComponent"])
    // headerXdr is the header alone in getLatestLedger, and with its hash (LedgerHeaderHistoryEntry) in getLedgers.
    expect(ledgerHeader.header.toXdr("base64")).toBe(result.headerXdr)
  },
)
