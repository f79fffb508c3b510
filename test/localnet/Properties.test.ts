/** What has to hold whatever is submitted. */
import { expect, test } from "bun:test"
import { Asset, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import fc from "fast-check"
import {
  amount,
  createAccountOperation,
  newKeys,
  openTestNetwork,
  type TestNetwork,
  XLM,
} from "./TestNetwork.ts"

const ACCOUNTS = 4

/** A command: which account is the source, what it does to which other, with how much. */
interface Command {
  readonly kind: "payNative" | "payAsset" | "trust" | "create" | "flags" | "signer" | "threshold" | "sponsor"
  readonly source: number
  readonly target: number
  readonly stroops: bigint
}

const commands = fc.array(
  fc.record({
    kind: fc.constantFrom<Command["kind"]>(
      "payNative",
      "payAsset",
      "payAsset",
      "trust",
      "trust",
      "create",
      "flags",
      "signer",
      "threshold",
      "sponsor",
    ),
    source: fc.nat(ACCOUNTS - 1),
    target: fc.nat(ACCOUNTS - 1),
    stroops: fc.oneof(fc.bigInt(1n, 40n * XLM), fc.constantFrom(1n, XLM / 2n, XLM, 2n * XLM)),
  }),
  { minLength: 1, maxLength: 6 },
)

const operationsOf = (
  command: Command,
  accounts: ReadonlyArray<Keypair>,
  assets: ReadonlyArray<Asset>,
): ReadonlyArray<xdr.Operation> => {
  const source = accounts[command.source]
  const target = accounts[command.target]
  const asset = assets[command.target]
  const own = assets[command.source]
  if (source === undefined || target === undefined || asset === undefined || own === undefined) return []
  const from = { source: source.publicKey() }
  const to = target.publicKey()
  switch (command.kind) {
    case "payNative":
      return [
        Operation.payment({
          destination: to,
          asset: Asset.native(),
          amount: amount(command.stroops),
          ...from,
        }),
      ]
    case "payAsset":
      return [Operation.payment({ destination: to, asset: own, amount: amount(command.stroops), ...from })]
    case "trust":
      return [Operation.changeTrust({ asset, limit: amount(command.stroops), ...from })]
    case "create": {
      const created = createAccountOperation(newKeys(), command.stroops)
      return [new xdr.Operation({ sourceAccount: muxed(source), body: created.body })]
    }
    case "flags":
      return [Operation.setOptions({ setFlags: 1, ...from })]
    case "signer":
      return [
        Operation.setOptions({
          signer: { ed25519PublicKey: newKeys().publicKey(), weight: Number(command.stroops % 2n) },
          ...from,
        }),
      ]
    case "threshold":
      return [Operation.setOptions({ medThreshold: Number(command.stroops % 2n), ...from })]
    case "sponsor":
      return [
        Operation.beginSponsoringFutureReserves({ sponsoredId: to, ...from }),
        Operation.changeTrust({ asset: own, source: to }),
        Operation.endSponsoringFutureReserves({ source: to }),
      ]
  }
}

const muxed = (keys: Keypair) => xdr.MuxedAccount.keyTypeEd25519(keys.rawPublicKey())

const open = () => {
  const tools = openTestNetwork()
  const accounts = tools.fund(ACCOUNTS, 20n * XLM)
  const assets = accounts.map((keys) => new Asset("NOVA", keys.publicKey()))
  return { tools, accounts, assets }
}

/** One transaction of all the commands, signed by everybody who has to. */
const submitAll = (
  tools: TestNetwork,
  accounts: ReadonlyArray<Keypair>,
  operations: ReadonlyArray<xdr.Operation>,
) => {
  const [channel] = accounts
  if (channel === undefined) throw new Error("no account")
  const sources = operations.map(({ sourceAccount }) => sourceAccount)
  const needed = accounts.filter(
    (keys, index) => index === 0 || sources.some((source) => source?.equals(muxed(keys))),
  )
  return { channel, codes: tools.run(channel, operations, { signers: needed }) }
}

const everything = (tools: TestNetwork, accounts: ReadonlyArray<Keypair>, assets: ReadonlyArray<Asset>) =>
  accounts.map((keys) => ({
    account: tools.account(keys),
    lines: assets.map((asset) => tools.line(keys, asset)),
  }))

test("a failed transaction changes nothing but its fee and its sequence", () => {
  let failures = 0
  fc.assert(
    fc.property(fc.array(commands, { minLength: 1, maxLength: 4 }), (batches) => {
      const { tools, accounts, assets } = open()
      for (const batch of batches) {
        const operations = batch.flatMap((command) => operationsOf(command, accounts, assets))
        const before = everything(tools, accounts, assets)
        const { codes } = submitAll(tools, accounts, operations)
        if (codes.transaction === "txSuccess") continue
        failures++
        const after = everything(tools, accounts, assets)
        expect(after.slice(1)).toEqual(before.slice(1))
        const [was, is] = [before[0], after[0]]
        if (was === undefined || is === undefined) throw new Error("no account")
        // A refusal before inclusion consumes nothing at all.
        const included = is.account.seqNum !== was.account.seqNum
        const fee = included ? codes.feeCharged : 0n
        expect(is.account.seqNum).toBe(was.account.seqNum + (included ? 1n : 0n))
        expect(is.account.balance).toBe(was.account.balance - fee)
        expect(is.lines).toEqual(was.lines)
        const same = { numSubEntries: 0, flags: 0 }
        for (const field of Object.keys(same) as Array<keyof typeof same>) {
          expect(is.account[field]).toBe(was.account[field])
        }
        expect(is.account.signers).toEqual(was.account.signers)
        expect(is.account.thresholds).toEqual(was.account.thresholds)
      }
    }),
    { numRuns: 60 },
  )
  // The generator would be worth nothing if everything succeeded.
  expect(failures).toBeGreaterThan(10)
})

test("lumens conserve: balances and the fee pool are always the 100 billion", () => {
  fc.assert(
    fc.property(fc.array(commands, { minLength: 1, maxLength: 4 }), (batches) => {
      const { tools, accounts, assets } = open()
      for (const batch of batches) {
        submitAll(
          tools,
          accounts,
          batch.flatMap((command) => operationsOf(command, accounts, assets)),
        )
      }
      const { network } = tools
      let sum = network.latest().header.feePool
      for (const address of everyAddress(tools)) sum += address
      expect(sum).toBe(network.latest().header.totalCoins)
    }),
    { numRuns: 40 },
  )
})

/** Balances of all accounts that ever were: every one of them took part in some transaction. */
const everyAddress = ({ network }: TestNetwork): ReadonlyArray<bigint> => {
  const seen = new Map<string, bigint>()
  for (let sequence = 1; sequence <= network.latest().sequence; sequence++) {
    for (const { participants } of network.ledger(sequence)?.transactions ?? []) {
      for (const address of participants) {
        const key = xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: publicKeyOf(address) }))
        const data = network.entry(key)?.entry.data
        seen.set(address, data?.type === "account" ? data.account.balance : 0n)
      }
    }
  }
  return [...seen.values()]
}

const publicKeyOf = (address: string) => {
  const operation = Operation.createAccount({ destination: address, startingBalance: "1" })
  if (operation.body.type !== "createAccount") throw new Error("not a creation")
  return operation.body.createAccountOp.destination
}

test("an asset conserves: what its issuer paid out less what came back is what is held", () => {
  fc.assert(
    fc.property(fc.array(commands, { minLength: 2, maxLength: 5 }), (batches) => {
      const { tools, accounts, assets } = open()
      const issued = assets.map(() => 0n)
      for (const batch of batches) {
        const used = batch.flatMap((command) => operationsOf(command, accounts, assets).map(() => command))
        const operations = batch.flatMap((command) => operationsOf(command, accounts, assets))
        const { codes } = submitAll(tools, accounts, operations)
        if (codes.transaction !== "txSuccess") continue
        for (const [index, command] of used.entries()) {
          if (command.kind !== "payAsset" || command.source === command.target) continue
          if (codes.operations[index] === "paymentSuccess") {
            issued[command.source] = (issued[command.source] ?? 0n) + command.stroops
          }
        }
      }
      for (const [index, asset] of assets.entries()) {
        const held = accounts.reduce((sum, keys) => sum + (tools.line(keys, asset)?.balance ?? 0n), 0n)
        expect(held).toBe(issued[index] ?? 0n)
      }
    }),
    { numRuns: 40 },
  )
})

test("reserves: subentries and sponsorships are counted right, whatever happened", () => {
  fc.assert(
    fc.property(fc.array(commands, { minLength: 1, maxLength: 5 }), (batches) => {
      const { tools, accounts, assets } = open()
      for (const batch of batches) {
        submitAll(
          tools,
          accounts,
          batch.flatMap((command) => operationsOf(command, accounts, assets)),
        )
      }
      let sponsored = 0
      let sponsoring = 0
      for (const keys of accounts) {
        const account = tools.account(keys)
        const lines = assets.filter((asset) => tools.line(keys, asset) !== undefined)
        expect(account.numSubEntries).toBe(lines.length + account.signers.length)
        const v2 =
          account.ext.type === "v1" && account.ext.v1.ext.type === "v2" ? account.ext.v1.ext.v2 : undefined
        sponsored += v2?.numSponsored ?? 0
        sponsoring += v2?.numSponsoring ?? 0
        if (v2 !== undefined) expect(v2.signerSponsoringIDs).toHaveLength(account.signers.length)
      }
      expect(sponsored).toBe(sponsoring)
    }),
    { numRuns: 40 },
  )
})

test("the same ledgers come of the same transactions: two networks agree on every hash", () => {
  fc.assert(
    fc.property(commands, (batch) => {
      const first = open()
      const operations = batch.flatMap((command) => operationsOf(command, first.accounts, first.assets))
      submitAll(first.tools, first.accounts, operations)
      const second = openTestNetwork()
      for (let sequence = 3; sequence <= first.tools.network.latest().sequence; sequence++) {
        const ledger = first.tools.network.ledger(sequence)
        for (const { envelopeXdr } of ledger?.transactions ?? []) second.network.submit(envelopeXdr)
        expect(second.network.closeLedger(ledger?.closeTime ?? 0).hash).toBe(ledger?.hash ?? "none")
      }
    }),
    { numRuns: 25 },
  )
})
