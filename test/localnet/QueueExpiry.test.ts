/** What leaves the queue without being applied: stellar-core src/herder/HerderImpl.cpp, TxSetUtils.cpp. */
import { describe, expect, test } from "bun:test"
import { Keypair, Operation } from "@stellar/stellar-sdk"
import { openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { conditions, timeBounds } from "./Conditions.ts"
import { closeWithout, many, toSelf } from "./Queueing.ts"
import { buildOn, openTestNetwork, PASSPHRASE } from "./TestNetwork.ts"

describe("after each close what will soon be invalid is thrown out", () => {
  // HerderImpl.cpp updateTransactionQueue: removeApplied, shift, getInvalidTxList(txs, app, 0,
  // getUpperBoundCloseTimeOffset), ban. The offset is two close intervals of 5 s, as at submission.
  const expiring = (seconds: number) => {
    const tools = openTestNetwork()
    const keys = tools.fundOne()
    const maxTime = BigInt(tools.network.latest().closeTime + seconds)
    const waiting = tools.build(keys, [toSelf(keys)], {
      conditions: conditions({ timeBounds: timeBounds(0n, maxTime) }),
    })
    expect(tools.submit(waiting).status).toBe("PENDING")
    closeWithout(tools)
    return { ...tools, keys, waiting }
  }

  test("a maxTime that the next ledger may miss: banned, and its source is free", () => {
    // The ledger closed after 5 s, so that 15 s are its upper bound.
    const { network, submit, build, keys, waiting } = expiring(14)
    expect(network.pendingCount()).toBe(0)
    expect(submit(waiting).status).toBe("TRY_AGAIN_LATER")
    expect(submit(build(keys, many(keys, 2))).status).toBe("PENDING")
  })

  test("a maxTime at the bound stays", () => {
    const { network, submit, waiting } = expiring(15)
    expect(network.pendingCount()).toBe(1)
    expect(submit(waiting).status).toBe("DUPLICATE")
  })

  test("a clock that runs ahead of the ledger moves the bound", () => {
    let now = 1_000_000
    const network = openNetwork({ settings: { passphrase: PASSPHRASE }, now: () => now, friendbotHelpers: 0 })
    const root = Keypair.master(PASSPHRASE)
    const maxTime = BigInt(now + 20)
    const waiting = buildOn(network, root, [toSelf(root)], {
      conditions: conditions({ timeBounds: timeBounds(0n, maxTime) }),
    })
    network.closeLedger(now)
    expect(network.submit(waiting.envelopeXdr).status).toBe("PENDING")
    // Closed at 1,000,001 with the clock at 1,000,011: two intervals from there end at 1,000,021.
    now += 11
    network.closeLedger(1_000_001, { leaveOut: () => true, bring: [] })
    expect(network.submit(waiting.envelopeXdr).status).toBe("TRY_AGAIN_LATER")
  })

  test("a sequence that another's operation has passed over", () => {
    const tools = openTestNetwork({ operationsPerLedgerMax: 3 })
    const [keys, rich] = tools.fund(2) as [Keypair, Keypair]
    const { seqNum } = tools.account(keys)
    const waiting = tools.build(keys, many(keys, 3))
    tools.submit(waiting)
    const pass = Operation.bumpSequence({ bumpTo: (seqNum + 5n).toString(), source: keys.publicKey() })
    tools.submit(tools.build(rich, [pass], { fee: 1000n, signers: [rich, keys] }))
    expect(tools.close().successfulTransactions).toBe(1)
    expect(tools.network.pendingCount()).toBe(0)
    expect(tools.submit(waiting).status).toBe("TRY_AGAIN_LATER")
    expect(tools.submit(tools.build(keys, [toSelf(keys)])).status).toBe("PENDING")
  })
})
