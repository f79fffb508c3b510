/**
 * RPC's fee stats, by hand: what was charged, not what was offered (CAP-5: a ledger that had to leave somebody out
 * charges everybody the lowest rate that it took), by nearest rank, over ten ledgers (stellar-rpc, feewindow.go).
 */
import { expect, test } from "bun:test"
import { Account, Asset, Keypair, Operation, TransactionBuilder, xdr } from "@stellar/stellar-sdk"
import { openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { getFeeStats } from "../../layers/localnet/rpc/FeeStats.ts"

const PASSPHRASE = "Fee stats ; 2026"
const WINDOW_LEDGERS = 10
const people = ["one", "two", "three"].map((name) =>
  Keypair.fromRawEd25519Seed(Buffer.from(name.padEnd(32, "."))),
)
const [one, two, three] = people as [Keypair, Keypair, Keypair]

/** Two operations fill a ledger; three accounts exist, and what made them is out of the window. */
const openFull = () => {
  let seconds = 0
  const network = openNetwork({
    settings: { passphrase: PASSPHRASE, operationsPerLedgerMax: 2 },
    now: () => seconds,
  })
  const close = (times = 1) => {
    for (let done = 0; done < times; done++) network.closeLedger(++seconds)
  }
  const sequenceOf = (keys: Keypair) => {
    const key = xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: keys.xdrPublicKey() }))
    const data = network.entry(key)?.entry.data
    if (data?.type !== "account") throw new Error("no account")
    return data.account.seqNum
  }
  const build = (keys: Keypair, bidStroops: number, operation: xdr.Operation) => {
    const account = new Account(keys.publicKey(), String(sequenceOf(keys)))
    const built = new TransactionBuilder(account, { fee: String(bidStroops), networkPassphrase: PASSPHRASE })
      .addOperation(operation)
      .setTimeout(0)
      .build()
    built.sign(keys)
    return built
  }
  const transaction = (keys: Keypair, bidStroops: number) =>
    build(
      keys,
      bidStroops,
      Operation.payment({ destination: one.publicKey(), asset: Asset.native(), amount: "1" }),
    )
  const root = Keypair.master(PASSPHRASE)
  for (const keys of people) {
    const create = Operation.createAccount({ destination: keys.publicKey(), startingBalance: "100" })
    network.submit(build(root, 100, create).toXDR())
    close()
  }
  close(WINDOW_LEDGERS)

  const bid = (keys: Keypair, bidStroops: number) => {
    expect(network.submit(transaction(keys, bidStroops).toXDR()).status).toBe("PENDING")
  }
  return { network, close, bid, transaction }
}

test("figures are 0 where nothing was charged in the window", () => {
  expect(getFeeStats(openFull().network).inclusionFee).toMatchObject({
    p50: "0",
    p90: "0",
    max: "0",
    transactionCount: "0",
    ledgerCount: WINDOW_LEDGERS,
  })
})

test("a full ledger charges the lowest rate it took, and the percentiles tell both times", () => {
  const { bid, close, network } = openFull()
  bid(one, 800)
  close()
  bid(one, 900)
  bid(two, 500)
  bid(three, 300)
  close()
  // The third waited, and is alone now.
  expect(network.pendingCount()).toBe(1)
  close()
  // Charged: 100; 500 and 500; 100. Ranks: p50 ceil(0.5 * 4) = 2, p60 ceil(2.4) = 3, p90 ceil(3.6) = 4.
  expect(getFeeStats(network).inclusionFee).toMatchObject({
    min: "100",
    p10: "100",
    p50: "100",
    p60: "500",
    p90: "500",
    max: "500",
    transactionCount: "4",
  })
  close(8)
  // The first of the ledgers with transactions has left the window.
  expect(getFeeStats(network).inclusionFee).toMatchObject({ p90: "500", transactionCount: "3" })
  close()
  expect(getFeeStats(network).inclusionFee).toMatchObject({ p90: "100", transactionCount: "1" })
})

test("a fee bump's charge is divided by the operations inside", () => {
  const { close, network, transaction } = openFull()
  const bump = TransactionBuilder.buildFeeBumpTransaction(one, "400", transaction(two, 100), PASSPHRASE)
  bump.sign(one)
  expect(network.submit(bump.toXDR()).status).toBe("PENDING")
  close()
  // Two operations at the base fee of 100, over the one inside.
  expect(getFeeStats(network).inclusionFee).toMatchObject({ min: "200", max: "200", transactionCount: "1" })
})
