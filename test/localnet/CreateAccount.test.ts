/** Result codes of stellar-core src/transactions/CreateAccountOpFrame.cpp. */
import { describe, expect, test } from "bun:test"
import { Asset, Operation } from "@stellar/stellar-sdk"
import { createAccountOperation, newKeys, openTestNetwork, XLM } from "./TestNetwork.ts"

describe("CreateAccount", () => {
  test("creates: balance as asked, sequence is the ledger's shifted by 32 bits, master weight 1", () => {
    // getStartingSequenceNumber, src/transactions/TransactionUtils.cpp: ledgerSeq << 32.
    const { network, root, run, account, balance } = openTestNetwork()
    const before = balance(root)
    const keys = newKeys()
    expect(run(root, [createAccountOperation(keys, 20n * XLM)])).toEqual({
      transaction: "txSuccess",
      operations: ["createAccountSuccess"],
      feeCharged: 100n,
    })
    const made = account(keys)
    expect(made.balance).toBe(20n * XLM)
    expect(made.seqNum).toBe(BigInt(network.latest().sequence) << 32n)
    expect([...made.thresholds.value]).toEqual([1, 0, 0, 0])
    expect(made.ext.type).toBe("v0")
    expect(balance(root)).toBe(before - 20n * XLM - 100n)
  })

  test("MALFORMED: a negative balance, or oneself (doCheckValid)", () => {
    const { root, run } = openTestNetwork()
    const refused = { transaction: "txFailed", operations: ["createAccountMalformed"], feeCharged: 100n }
    expect(run(root, [createAccountOperation(newKeys(), -1n)])).toEqual(refused)
    expect(run(root, [createAccountOperation(root, 20n * XLM)])).toEqual(refused)
  })

  test("ALREADY_EXIST comes before any look at the balance", () => {
    const { root, run, fundOne } = openTestNetwork()
    const keys = fundOne()
    expect(run(root, [createAccountOperation(keys, 0n)]).operations).toEqual(["createAccountAlreadyExist"])
  })

  test("LOW_RESERVE below two base reserves, which is 1 XLM", () => {
    const { root, run } = openTestNetwork()
    expect(run(root, [createAccountOperation(newKeys(), XLM - 1n)]).operations).toEqual([
      "createAccountLowReserve",
    ])
    expect(run(root, [createAccountOperation(newKeys(), XLM)]).transaction).toBe("txSuccess")
  })

  test("UNDERFUNDED: what is above the source's own reserve counts, after the fee", () => {
    const { run, fundOne } = openTestNetwork()
    const source = fundOne(10n * XLM)
    // 10 XLM - 1 XLM reserve - 100 stroops fee can be given away, and not a stroop more.
    const most = 9n * XLM - 100n
    expect(run(source, [createAccountOperation(newKeys(), most + 1n)]).operations).toEqual([
      "createAccountUnderfunded",
    ])
    // That attempt cost a fee.
    expect(run(source, [createAccountOperation(newKeys(), most - 100n)]).transaction).toBe("txSuccess")
  })

  test("LOW_RESERVE is checked before UNDERFUNDED (doApplyFromV14)", () => {
    const { run, fundOne } = openTestNetwork()
    const source = fundOne(XLM + 200n)
    expect(run(source, [createAccountOperation(newKeys(), XLM - 1n)]).operations).toEqual([
      "createAccountLowReserve",
    ])
  })

  test("an account that an earlier operation of the same transaction created can act in it", () => {
    // checkSignatureNoAccount vouches for it before it exists; apply looks it up anew.
    const { root, run, balance } = openTestNetwork()
    const keys = newKeys()
    const operations = [
      createAccountOperation(keys, 20n * XLM),
      Operation.payment({
        source: keys.publicKey(),
        destination: root.publicKey(),
        asset: Asset.native(),
        amount: "5",
      }),
    ]
    expect(run(root, operations).operations).toEqual(["createAccountSuccess", "opBadAuth"])
    expect(run(root, operations, { signers: [root, keys] }).transaction).toBe("txSuccess")
    expect(balance(keys)).toBe(15n * XLM)
  })
})
