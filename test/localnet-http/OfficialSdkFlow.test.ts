import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import {
  Account,
  Asset,
  AuthRequiredFlag,
  AuthRevocableFlag,
  Keypair,
  Memo,
  MuxedAccount,
  Operation,
  TransactionBuilder,
  xdr,
} from "@stellar/stellar-sdk"
import { transactionSet } from "../../layers/localnet/rpc/LedgerCloseMeta.ts"
import { type Harness, PASSPHRASE, problemOf, startHarness } from "./Harness.ts"

/** A newcomer's way with an unmodified stellar-sdk: friendbot, trust, pay, read back by both servers. */
describe("the official SDK", () => {
  let net: Harness
  beforeAll(async () => {
    net = await startHarness()
  })
  afterAll(() => net.stop())

  const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex")

  test("friendbot gives 10,000 XLM, and Horizon shows the account as of its first ledger", async () => {
    const keys = Keypair.random()
    const given = await net.settle(net.horizon.friendbot(keys.publicKey()).call())
    expect(given).toMatchObject({ successful: true, operation_count: 1 })
    const account = await net.horizon.loadAccount(keys.publicKey())
    // Friendbot's starting balance on testnet (services/friendbot, friendbot.cfg: 10000.00).
    expect(account.balances).toEqual([
      {
        balance: "10000.0000000",
        buying_liabilities: "0.0000000",
        selling_liabilities: "0.0000000",
        asset_type: "native",
      },
    ])
    // A new account's sequence is its ledger << 32 (CreateAccountOpFrame, getStartingSequenceNumber).
    expect(BigInt(account.sequence)).toBe(BigInt(account.last_modified_ledger) << 32n)
    // Until the sequence has changed for the first time there is no v3 extension (CAP-21).
    expect(account.sequence_ledger).toBeUndefined()
    expect(account.thresholds).toEqual({ low_threshold: 0, med_threshold: 0, high_threshold: 0 })
    expect(account.signers).toEqual([{ weight: 1, key: keys.publicKey(), type: "ed25519_public_key" }])
  })

  test("friendbot refuses an account that exists, in the words that the SDK looks for", async () => {
    const keys = await net.fund()
    const problem = await problemOf(net.horizon.friendbot(keys.publicKey()).call())
    expect(problem.status).toBe(400)
    // services/friendbot/internal/minion.go: ErrAccountExists.
    expect(problem.detail).toContain("createAccountAlreadyExist")
    // rpc.Server.requestAirdrop answers with the existing account on exactly that text.
    const existing = await net.rpc.requestAirdrop(keys.publicKey())
    expect(existing.accountId()).toBe(keys.publicKey())
  })

  test("friendbot refuses an address that is none, naming the field", async () => {
    const problem = await problemOf(net.horizon.friendbot("GNOTANADDRESS").call())
    expect(problem).toMatchObject({ status: 400, title: "Bad Request", extras: { invalid_field: "addr" } })
  })

  test("rpc.Server.requestAirdrop finds friendbot by getNetwork and reads the sequence from the meta", async () => {
    const keys = Keypair.random()
    const account = await net.settle(net.rpc.requestAirdrop(keys.publicKey()))
    const stored = await net.horizon.loadAccount(keys.publicKey())
    expect(account.sequenceNumber()).toBe(stored.sequence)
  })

  test("three friendbot requests at once all succeed", async () => {
    const keys = [Keypair.random(), Keypair.random(), Keypair.random()]
    const asked = keys.map((one) => net.horizon.friendbot(one.publicKey()).call())
    const given = await net.settle(Promise.all(asked))
    expect(given.map((one) => (one as unknown as { successful: boolean }).successful)).toEqual([
      true,
      true,
      true,
    ])
  })

  test("trust, pay, read back: Horizon and RPC tell the same story", async () => {
    const [issuer, wallet] = [await net.fund(), await net.fund()]
    const nova = new Asset("NOVA", issuer.publicKey())
    await net.apply(wallet, [Operation.changeTrust({ asset: nova, limit: "1000" })])
    const payment = Operation.payment({ destination: wallet.publicKey(), asset: nova, amount: "25.0000001" })
    const paid = await net.apply(issuer, [payment], {
      edit: (b) => b.addMemo(Memo.text("für Ada")).setTimeout(0),
    })

    const account = await net.horizon.loadAccount(wallet.publicKey())
    expect(account.balances[0]).toMatchObject({
      balance: "25.0000001",
      limit: "1000.0000000",
      asset_type: "credit_alphanum4",
      asset_code: "NOVA",
      asset_issuer: issuer.publicKey(),
      is_authorized: true,
      is_authorized_to_maintain_liabilities: true,
    })
    // 10,000 XLM less the fee of one operation (100 stroops).
    expect(account.balances[1]?.balance).toBe("9999.9999900")
    expect(account.subentry_count).toBe(1)

    const shown = await net.horizon.transactions().transaction(paid.hash).call()
    expect(shown).toMatchObject({
      successful: true,
      memo_type: "text",
      memo: "für Ada",
      memo_bytes: Buffer.from("für Ada").toString("base64"),
      fee_charged: "100",
      max_fee: "100",
      source_account: issuer.publicKey(),
    })
    const { records } = await net.horizon
      .payments()
      .forAccount(wallet.publicKey())
      .order("desc")
      .limit(1)
      .call()
    expect(records[0]).toMatchObject({
      type: "payment",
      from: issuer.publicKey(),
      to: wallet.publicKey(),
      amount: "25.0000001",
      asset_code: "NOVA",
      transaction_hash: paid.hash,
      transaction_successful: true,
    })

    const found = await net.rpc.getTransaction(paid.hash)
    if (found.status !== "SUCCESS") throw new Error(`RPC says ${found.status}`)
    expect(found).toMatchObject({ ledger: paid.ledger, feeBump: false, txHash: paid.hash })
    expect(found.resultXdr.feeCharged).toBe(100n)
    expect(found.envelopeXdr.toXdr("base64")).toBe(shown.envelope_xdr)
    const balance = await net.rpc.getTrustline(wallet.publicKey(), nova)
    expect(balance.balance).toBe(250_000_001n)
  })

  test("sequence_ledger and sequence_time tell when the sequence was set (CAP-21)", async () => {
    const keys = await net.fund()
    const applied = await net.apply(keys, [Operation.setOptions({})])
    const account = await net.horizon.loadAccount(keys.publicKey())
    const ledger = await net.horizon.ledgers().ledger(applied.ledger).call()
    const { closed_at } = ledger as unknown as { closed_at: string }
    expect(account.sequence_ledger).toBe(applied.ledger)
    expect(Number(account.sequence_time) * 1000).toBe(Date.parse(closed_at))
  })

  test("an account created with a sponsored reserve holds nothing of its own (CAP-33)", async () => {
    const sponsor = await net.fund()
    const child = Keypair.random()
    const operations = [
      Operation.beginSponsoringFutureReserves({ sponsoredId: child.publicKey() }),
      Operation.createAccount({ destination: child.publicKey(), startingBalance: "0" }),
      Operation.endSponsoringFutureReserves({ source: child.publicKey() }),
    ]
    const applied = await net.apply(sponsor, operations, { fee: "100", signers: [sponsor, child] })
    const account = await net.horizon.loadAccount(child.publicKey())
    // An account needs two base reserves; both are the sponsor's.
    expect(account).toMatchObject({ num_sponsored: 2, num_sponsoring: 0, sponsor: sponsor.publicKey() })
    expect(account.balances[0]?.balance).toBe("0.0000000")
    expect(await net.horizon.loadAccount(sponsor.publicKey())).toMatchObject({ num_sponsoring: 2 })
    const { records } = await net.horizon.operations().forTransaction(applied.hash).call()
    expect(records[0]).toMatchObject({
      type: "begin_sponsoring_future_reserves",
      sponsored_id: child.publicKey(),
    })
    expect(records[1]).toMatchObject({ type: "create_account", sponsor: sponsor.publicKey() })
    expect(records[2]).toMatchObject({
      type: "end_sponsoring_future_reserves",
      begin_sponsor: sponsor.publicKey(),
    })
  })

  test("options are shown as set", async () => {
    const keys = await net.fund()
    const [second, hash] = [Keypair.random(), Buffer.alloc(32, 9)]
    await net.apply(keys, [
      Operation.setOptions({
        setFlags: AuthRequiredFlag,
        homeDomain: "nova.example",
        lowThreshold: 1,
        medThreshold: 2,
        highThreshold: 3,
        masterWeight: 3,
        signer: { ed25519PublicKey: second.publicKey(), weight: 2 },
      }),
      Operation.setOptions({ setFlags: AuthRevocableFlag, signer: { sha256Hash: hash, weight: 1 } }),
    ])
    const account = await net.horizon.loadAccount(keys.publicKey())
    expect(account).toMatchObject({
      home_domain: "nova.example",
      thresholds: { low_threshold: 1, med_threshold: 2, high_threshold: 3 },
      flags: {
        auth_required: true,
        auth_revocable: true,
        auth_immutable: false,
        auth_clawback_enabled: false,
      },
      subentry_count: 2,
    })
    const byType = Object.fromEntries(
      account.signers.map((signer) => [signer.type + signer.weight, signer.key]),
    )
    expect(Object.keys(byType).sort()).toEqual(["ed25519_public_key2", "ed25519_public_key3", "sha256_hash1"])
  })

  test("a fee bump is found by both hashes", async () => {
    const [payer, keys] = [await net.fund(), await net.fund()]
    const inner = await net.build(keys, [Operation.setOptions({})])
    const bump = TransactionBuilder.buildFeeBumpTransaction(payer, "200", inner, PASSPHRASE)
    bump.sign(payer)
    const applied = await net.submit(bump)
    const innerHash = Buffer.from(inner.hash()).toString("hex")
    expect(applied.hash).toBe(Buffer.from(bump.hash()).toString("hex"))
    for (const hash of [applied.hash, innerHash]) {
      const shown = await net.horizon.transactions().transaction(hash).call()
      expect(shown).toMatchObject({
        hash,
        fee_account: payer.publicKey(),
        source_account: keys.publicKey(),
        // The bump offered 200 an operation for two (the inner one and itself); the base fee is 100 each.
        max_fee: "400",
        fee_charged: "200",
        fee_bump_transaction: { hash: applied.hash },
        inner_transaction: { hash: innerHash, max_fee: "100" },
      })
      const found = await net.rpc.getTransaction(hash)
      expect(found).toMatchObject({ status: "SUCCESS", feeBump: true, ledger: applied.ledger })
    }
  })

  test("M addresses keep their id (SEP-23)", async () => {
    const [from, to] = [await net.fund(), await net.fund()]
    const destination = new MuxedAccount(new Account(to.publicKey(), "0"), "77").accountId()
    expect(destination).toStartWith("M")
    await net.apply(from, [Operation.payment({ destination, asset: Asset.native(), amount: "1" })])
    const { records } = await net.horizon.payments().forAccount(to.publicKey()).order("desc").limit(1).call()
    expect(records[0]).toMatchObject({ to: to.publicKey(), to_muxed: destination, to_muxed_id: "77" })
  })

  test("headers chain by SHA-256, and the transaction set has the hash that the header names", async () => {
    const latest = await net.rpc.getLatestLedger()
    const { ledgers } = await net.rpc.getLedgers({
      startLedger: latest.sequence - 5,
      pagination: { limit: 6 },
    })
    expect(ledgers.length).toBe(6)
    ledgers.forEach((ledger, index) => {
      const { header } = ledger.headerXdr
      expect(sha256(header.toXdr())).toBe(ledger.hash)
      const before = ledgers[index - 1]
      if (before !== undefined)
        expect(Buffer.from(header.previousLedgerHash.toBytes()).toString("hex")).toBe(before.hash)
      if (ledger.metadataXdr.type !== "v2") throw new Error(`meta ${ledger.metadataXdr.type}`)
      const set = ledger.metadataXdr.v2.txSet
      expect(sha256(set.toXdr())).toBe(Buffer.from(header.scpValue.txSetHash.toBytes()).toString("hex"))
      const closed = net.network.ledger(ledger.sequence)
      if (closed !== undefined) expect(transactionSet(closed).toXdr("base64")).toBe(set.toXdr("base64"))
    })
    expect(latest.id).toBe(ledgers.at(-1)?.hash as string)
    expect(xdr.LedgerHeader.fromXdr(net.network.latest().headerXdr, "base64").ledgerSeq).toBe(latest.sequence)
  })
})
