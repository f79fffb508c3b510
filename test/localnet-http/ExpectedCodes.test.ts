import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import {
  Account,
  Asset,
  Keypair,
  Operation,
  type Transaction,
  TransactionBuilder,
} from "@stellar/stellar-sdk"
import { codesOf, type Harness, PASSPHRASE, problemOf, startHarness } from "./Harness.ts"

/**
 * What a submission that cannot succeed is told. The codes are those of stellar-core (file and function named
 * at each test), their names those of Horizon (services/horizon/internal/codes/main.go).
 */
describe("codes that the real network gives", () => {
  let net: Harness
  beforeAll(async () => {
    net = await startHarness()
  })
  afterAll(() => net.stop())

  const pay = (destination: string, amount: string, asset = Asset.native()) =>
    Operation.payment({ destination, asset, amount })

  test("payment without a trustline: op_no_trust, in a ledger, fee charged", async () => {
    // PaymentOpFrame.cpp / PathPaymentOpFrameBase: updateDestBalance -> PAYMENT_NO_TRUST.
    const [issuer, wallet] = [await net.fund(), await net.fund()]
    const asset = new Asset("NOVA", issuer.publicKey())
    const problem = await problemOf(net.apply(issuer, [pay(wallet.publicKey(), "1", asset)]))
    expect(problem).toMatchObject({ title: "Transaction Failed", status: 400 })
    expect(problem.type).toBe("https://stellar.org/horizon-errors/transaction_failed")
    expect(problem.extras?.result_codes).toEqual({ transaction: "tx_failed", operations: ["op_no_trust"] })
    const hash = problem.extras?.hash ?? ""
    expect(await net.rpc.getTransaction(hash)).toMatchObject({ status: "FAILED" })
    const { balances } = await net.horizon.loadAccount(issuer.publicKey())
    expect(balances[0]?.balance).toBe("9999.9999900")
  })

  test("one failed operation fails all, and all are reported", async () => {
    // TransactionFrame::applyOperations goes on after a failure and collects every result.
    const [issuer, trusting, other] = [await net.fund(), await net.fund(), await net.fund()]
    const asset = new Asset("NOVA", issuer.publicKey())
    await net.apply(trusting, [Operation.changeTrust({ asset })])
    const operations = [
      pay(trusting.publicKey(), "1", asset),
      pay(other.publicKey(), "1", asset),
      pay(trusting.publicKey(), "1", asset),
    ]
    expect(await codesOf(net.apply(issuer, operations))).toEqual({
      transaction: "tx_failed",
      operations: ["op_success", "op_no_trust", "op_success"],
    })
    expect((await net.horizon.loadAccount(trusting.publicKey())).balances[0]?.balance).toBe("0.0000000")
  })

  test("a destination that does not exist: op_no_destination", async () => {
    // PaymentOpFrame.cpp: doApply, PAYMENT_NO_DESTINATION.
    const from = await net.fund()
    expect(await codesOf(net.apply(from, [pay(Keypair.random().publicKey(), "1")]))).toEqual({
      transaction: "tx_failed",
      operations: ["op_no_destination"],
    })
  })

  test("more than there is above the reserve: op_underfunded", async () => {
    // PathPaymentOpFrameBase::updateSourceBalance: getAvailableBalance keeps two base reserves (1 XLM) back.
    const [from, to] = [await net.fund(), await net.fund()]
    expect(await codesOf(net.apply(from, [pay(to.publicKey(), "9999.5")]))).toEqual({
      transaction: "tx_failed",
      operations: ["op_underfunded"],
    })
  })

  test("an asset that the sender does not hold: op_src_no_trust", async () => {
    // PathPaymentOpFrameBase::updateSourceBalance: PAYMENT_SRC_NO_TRUST.
    const [issuer, from, to] = [await net.fund(), await net.fund(), await net.fund()]
    const asset = new Asset("NOVA", issuer.publicKey())
    await net.apply(to, [Operation.changeTrust({ asset })])
    expect(await codesOf(net.apply(from, [pay(to.publicKey(), "1", asset)]))).toEqual({
      transaction: "tx_failed",
      operations: ["op_src_no_trust"],
    })
  })

  test("above the trustline's limit: op_line_full", async () => {
    // PathPaymentOpFrameBase::updateDestBalance: PAYMENT_LINE_FULL.
    const [issuer, wallet] = [await net.fund(), await net.fund()]
    const asset = new Asset("NOVA", issuer.publicKey())
    await net.apply(wallet, [Operation.changeTrust({ asset, limit: "5" })])
    expect(await codesOf(net.apply(issuer, [pay(wallet.publicKey(), "5.0000001", asset)]))).toEqual({
      transaction: "tx_failed",
      operations: ["op_line_full"],
    })
  })

  test("an account that exists: op_already_exists; one below the reserve: op_low_reserve", async () => {
    // CreateAccountOpFrame.cpp: CREATE_ACCOUNT_ALREADY_EXIST, CREATE_ACCOUNT_LOW_RESERVE.
    const [from, to] = [await net.fund(), await net.fund()]
    const create = (destination: string, startingBalance: string) =>
      net.apply(from, [Operation.createAccount({ destination, startingBalance })])
    expect(await codesOf(create(to.publicKey(), "5"))).toEqual({
      transaction: "tx_failed",
      operations: ["op_already_exists"],
    })
    expect(await codesOf(create(Keypair.random().publicKey(), "0.9999999"))).toEqual({
      transaction: "tx_failed",
      operations: ["op_low_reserve"],
    })
  })

  test("a bad sequence number: tx_bad_seq, no operation named, nothing consumed", async () => {
    // TransactionFrame::isBadSeq -> txBAD_SEQ; horizon-errors documentation, "Transaction Failed".
    const from = await net.fund()
    const before = await net.account(from)
    for (const sequenceOffset of [-1n, 1n]) {
      const codes = await codesOf(net.apply(from, [pay(from.publicKey(), "1")], { sequenceOffset }))
      expect(codes).toEqual({ transaction: "tx_bad_seq" })
    }
    expect((await net.account(from)).sequenceNumber()).toBe(before.sequenceNumber())
  })

  test("a wrong signature: tx_bad_auth; one too many: tx_bad_auth_extra", async () => {
    // TransactionFrame::commonValid: checkSignature -> txBAD_AUTH; checkAllSignaturesUsed -> txBAD_AUTH_EXTRA.
    const from = await net.fund()
    const stranger = Keypair.random()
    const operations = [pay(from.publicKey(), "1")]
    expect(await codesOf(net.apply(from, operations, { signers: [stranger] }))).toEqual({
      transaction: "tx_bad_auth",
    })
    expect(await codesOf(net.apply(from, operations, { signers: [from, stranger] }))).toEqual({
      transaction: "tx_bad_auth_extra",
    })
  })

  test("signed for another network: tx_bad_auth, since the hash that was signed is another", async () => {
    // The network id is part of what is signed (TransactionSignaturePayload, Stellar-transaction.x).
    const from = await net.fund()
    const { sequence } = await net.horizon.loadAccount(from.publicKey())
    const source = new Account(from.publicKey(), sequence)
    const elsewhere = new TransactionBuilder(source, {
      fee: "100",
      networkPassphrase: "Another Network ; 2026",
    })
      .addOperation(pay(from.publicKey(), "1"))
      .setTimeout(0)
      .build()
    elsewhere.sign(from)
    expect(await codesOf(net.submit(elsewhere))).toEqual({ transaction: "tx_bad_auth" })
  })

  test("past its time bound: tx_too_late; before it: tx_too_early", async () => {
    // TransactionFrame::isTooLate, isTooEarly.
    const from = await net.fund()
    const within = (minTime: number, maxTime: number) => ({
      edit: (builder: TransactionBuilder) => builder.setTimebounds(minTime, maxTime),
    })
    const operations = [pay(from.publicKey(), "1")]
    expect(await codesOf(net.apply(from, operations, within(0, 1)))).toEqual({ transaction: "tx_too_late" })
    // 4102444800 = 2100-01-01T00:00:00Z
    expect(await codesOf(net.apply(from, operations, within(4_102_444_800, 0)))).toEqual({
      transaction: "tx_too_early",
    })
  })

  test("past its ledger bound: tx_too_late", async () => {
    // TransactionFrame::isTooLate: maxLedger is exclusive (CAP-21).
    const from = await net.fund()
    const { sequence } = net.network.latest()
    const change = {
      edit: (builder: TransactionBuilder) => builder.setTimeout(0).setLedgerbounds(0, sequence),
    }
    expect(await codesOf(net.apply(from, [pay(from.publicKey(), "1")], change))).toEqual({
      transaction: "tx_too_late",
    })
  })

  test("below the base fee: tx_insufficient_fee, and feeCharged states what it takes", async () => {
    // TransactionQueue.cpp: the result of txINSUFFICIENT_FEE carries the minimum in feeCharged.
    const from = await net.fund()
    const problem = await problemOf(
      net.apply(from, [pay(from.publicKey(), "1"), pay(from.publicKey(), "1")], { fee: "50" }),
    )
    expect(problem.extras?.result_codes).toEqual({ transaction: "tx_insufficient_fee" })
    const tx = await net.build(from, [pay(from.publicKey(), "1"), pay(from.publicKey(), "1")], { fee: "50" })
    const sent = await net.rpc.sendTransaction(tx)
    expect(sent.status).toBe("ERROR")
    expect(sent.errorResult?.feeCharged).toBe(200n)
  })

  test("no source account: tx_no_source_account", async () => {
    // TransactionFrame::commonValidPreSeqNum: loadSourceAccount -> txNO_ACCOUNT.
    const nobody = Keypair.random()
    const tx = new TransactionBuilder(new Account(nobody.publicKey(), "1"), {
      fee: "100",
      networkPassphrase: PASSPHRASE,
    })
      .addOperation(pay(nobody.publicKey(), "1"))
      .setTimeout(0)
      .build()
    tx.sign(nobody)
    expect(await codesOf(net.submit(tx))).toEqual({ transaction: "tx_no_source_account" })
  })

  test("an operation's source that did not sign: op_bad_auth", async () => {
    // OperationFrame::checkSignature -> opBAD_AUTH; the transaction fails in validation.
    const [from, other] = [await net.fund(), await net.fund()]
    const operation = Operation.payment({
      source: other.publicKey(),
      destination: from.publicKey(),
      asset: Asset.native(),
      amount: "1",
    })
    expect(await codesOf(net.apply(from, [operation]))).toEqual({
      transaction: "tx_failed",
      operations: ["op_bad_auth"],
    })
  })

  test("a failed fee bump names the inner result", async () => {
    // FeeBumpTransactionFrame: txFEE_BUMP_INNER_FAILED; codes.go: inner_transaction.
    const [payer, from] = [await net.fund(), await net.fund()]
    const inner = await net.build(from, [pay(Keypair.random().publicKey(), "1")])
    const bump = TransactionBuilder.buildFeeBumpTransaction(payer, "100", inner, PASSPHRASE)
    bump.sign(payer)
    expect(await codesOf(net.submit(bump))).toEqual({
      transaction: "tx_fee_bump_inner_failed",
      inner_transaction: "tx_failed",
      operations: ["op_no_destination"],
    })
  })

  describe("one transaction waits per source account", () => {
    const two = async (from: Keypair): Promise<readonly [Transaction, Transaction]> => [
      await net.build(from, [pay(from.publicKey(), "1")]),
      await net.build(from, [pay(from.publicKey(), "2")], { sequenceOffset: 1n }),
    ]

    test("RPC: PENDING, the same again DUPLICATE, the next TRY_AGAIN_LATER", async () => {
      // TransactionQueue::canAdd: one transaction per source; a known hash is ADD_STATUS_DUPLICATE.
      const from = await net.fund()
      const [first, second] = await two(from)
      expect((await net.rpc.sendTransaction(first)).status).toBe("PENDING")
      expect((await net.rpc.sendTransaction(first)).status).toBe("DUPLICATE")
      const later = await net.rpc.sendTransaction(second)
      expect(later.status).toBe("TRY_AGAIN_LATER")
      expect(later.hash).toBe(Buffer.from(second.hash()).toString("hex"))
      net.close()
      expect(await net.rpc.getTransaction(later.hash)).toMatchObject({ status: "NOT_FOUND" })
      expect((await net.rpc.sendTransaction(second)).status).toBe("PENDING")
      net.close()
      expect(await net.rpc.getTransaction(later.hash)).toMatchObject({ status: "SUCCESS" })
    })

    test("Horizon's asynchronous endpoint: 201, 409, 503, with tx_status and hash", async () => {
      // actions/submit_transaction_async.go, protocols/horizon AsyncTransactionSubmissionResponse.GetStatus.
      const from = await net.fund()
      const [first, second] = await two(from)
      const send = async (transaction: Transaction) => {
        const body = new URLSearchParams({ tx: transaction.toEnvelope().toXdr("base64") })
        const response = await fetch(`${net.server.url}/transactions_async`, { method: "POST", body })
        const { tx_status, hash } = (await response.json()) as { tx_status: string; hash: string }
        expect(hash).toBe(Buffer.from(transaction.hash()).toString("hex"))
        return [response.status, tx_status]
      }
      expect(await send(first)).toEqual([201, "PENDING"])
      expect(await send(first)).toEqual([409, "DUPLICATE"])
      expect(await send(second)).toEqual([503, "TRY_AGAIN_LATER"])
      net.close()
      const accepted = await net.horizon.submitAsyncTransaction(second, { skipMemoRequiredCheck: true })
      expect(accepted.tx_status).toBe("PENDING")
      net.close()
      const refused = await net.build(from, [pay(from.publicKey(), "1")], { sequenceOffset: 7n })
      expect(await send(refused)).toEqual([400, "ERROR"])
    })

    test("Horizon's synchronous endpoint takes TRY_AGAIN_LATER for accepted, and times out with 504", async () => {
      // txsub.System.Submit lists it as pending; actions/submit_transaction.go: transaction_submission_timeout.
      const short = await startHarness({ submissionTimeoutMs: 60 })
      try {
        const from = await short.fund()
        const first = await short.build(from, [pay(from.publicKey(), "1")])
        const second = await short.build(from, [pay(from.publicKey(), "2")], { sequenceOffset: 1n })
        await short.rpc.sendTransaction(first)
        const problem = await problemOf(
          short.horizon.submitTransaction(second, { skipMemoRequiredCheck: true }),
        )
        expect(problem).toMatchObject({ status: 504, title: "Transaction Submission Timeout" })
        expect(problem.extras).toMatchObject({ hash: Buffer.from(second.hash()).toString("hex") })
      } finally {
        await short.stop()
      }
    })
  })

  test("a transaction that was applied is answered with its result, however often it is sent", async () => {
    // txsub.System.Submit looks into history first.
    const from = await net.fund()
    const tx = await net.build(from, [pay(from.publicKey(), "1")])
    const first = await net.submit(tx)
    const again = await net.horizon.submitTransaction(tx, { skipMemoRequiredCheck: true })
    expect(again).toMatchObject({ hash: first.hash, ledger: first.ledger, successful: true })
  })
})
