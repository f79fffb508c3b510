/**
 * A claimable balance with two claimants reserves 1 XLM of the distribution account (two base reserves, CAP-23). What
 * its XLM cannot reserve is held, is never promised to the ledger, and is paid when there is XLM again.
 */
import { describe, expect } from "bun:test"
import { Asset, Operation, StrKey } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { formatAmount } from "../../src/kernel/Amount.ts"
import { upkeepOnce } from "../../src/programs/IssuanceUpkeep.ts"
import { CAMPAIGN, tally, wallets } from "../support/IssuanceScene.ts"
import { distribution } from "../support/TestNetwork.ts"
import { stepAs } from "../support/WorkerScene.ts"
import { acceptAll } from "./TableAccept.ts"
import { actAs, control, drain, envelopes, rounds, type TableStage, tableScene } from "./TableScene.ts"

const XLM = 10_000_000n

/** The account's minimum: its own two base reserves, its line, and two for each of two sponsored channels. */
const MINIMUM_STROOPS = 7n * 5_000_000n

/** Gives all XLM of the distribution account away but so much that it can spend. */
const leaveXlm = Effect.fnUntraced(function* (stage: TableStage, stroops: bigint) {
  const account = stage.network
    .entriesOf("account")
    .flatMap(({ entry: { data } }) => (data.type === "account" ? [data.account] : []))
    .find(
      ({ accountId }) => StrKey.encodeEd25519PublicKey(accountId.ed25519.value) === distribution.publicKey(),
    )
  actAs(
    stage,
    wallets.other,
    [distribution],
    Operation.payment({
      source: distribution.publicKey(),
      destination: wallets.other.publicKey(),
      asset: Asset.native(),
      amount: formatAmount((account?.balance ?? 0n) - MINIMUM_STROOPS - stroops),
    }),
  )
  yield* stage.close
})

const acceptBalances = Effect.fnUntraced(function* (count: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`UPDATE campaigns SET on_missing_trustline = 'claimable_balance' WHERE id = ${CAMPAIGN}`
  return yield* acceptAll(
    Array.from({ length: count }, (_, index) => ({
      wallet: wallets.without.publicKey(),
      amountStroops: BigInt(index + 1),
    })),
  )
})

describe("the XLM that balances reserve", () => {
  tableScene("2.5 XLM are reserves for two; the third is held, and nothing pauses", (stage) =>
    Effect.gen(function* () {
      yield* leaveXlm(stage, (5n * XLM) / 2n)
      yield* acceptBalances(3)
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 2, "held no_trustline": 1 })
      expect(yield* control).toBeNull()
    }),
  )

  tableScene("two channels in one step do not promise the same reserve twice", (stage) =>
    Effect.gen(function* () {
      yield* leaveXlm(stage, 150n * XLM)
      yield* acceptBalances(200)
      yield* stepAs("one")
      const promised = (yield* envelopes).flatMap(({ issuance_ids }) => issuance_ids)
      expect(promised.length).toBe(150)
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 150, "held no_trustline": 50 })
      expect(yield* control).toBeNull()
    }),
  )

  tableScene("balances that are in flight have their reserve, whatever the ledger says yet", (stage) =>
    Effect.gen(function* () {
      yield* leaveXlm(stage, 3n * XLM)
      yield* acceptBalances(2)
      yield* stepAs("one")
      yield* acceptBalances(2)
      yield* stepAs("one")
      const promised = (yield* envelopes).flatMap(({ issuance_ids }) => issuance_ids)
      expect(promised.length).toBe(3)
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 3, "held no_trustline": 1 })
      expect(yield* control).toBeNull()
    }),
  )

  tableScene("when there is XLM again, the held ones are paid", (stage) =>
    Effect.gen(function* () {
      yield* leaveXlm(stage, XLM)
      yield* acceptBalances(3)
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 1, "held no_trustline": 2 })
      actAs(
        stage,
        wallets.other,
        [],
        Operation.payment({ destination: distribution.publicKey(), asset: Asset.native(), amount: "50" }),
      )
      yield* stage.close
      yield* TestClock.adjust("1 minute")
      yield* upkeepOnce
      yield* rounds(stage, 3)
      expect(yield* tally).toEqual({ confirmed: 3 })
    }),
  )
})
