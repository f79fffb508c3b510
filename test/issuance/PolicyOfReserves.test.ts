/**
 * A claimable balance with two claimants reserves 1 XLM of the distribution account (two base reserves, CAP-23). What
 * its XLM cannot reserve is held, is never promised to the ledger, and is paid when there is XLM again.
 */
import { describe, expect } from "bun:test"
import { Asset, Operation, StrKey } from "@stellar/stellar-sdk"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { advanceUpkeep, submitUpkeep } from "../../src/issuance/UpkeepSteps.ts"
import { topUpChannels } from "../../src/issuance/UpkeepTopUps.ts"
import { formatAmount } from "../../src/kernel/Amount.ts"
import { upkeepOnce } from "../../src/programs/IssuanceUpkeep.ts"
import { CAMPAIGN, tally, wallets } from "../support/IssuanceScene.ts"
import { distribution } from "../support/TestNetwork.ts"
import { stepAs } from "../support/WorkerScene.ts"
import { acceptAll } from "./TableAccept.ts"
import {
  actAs,
  control,
  drain,
  envelopes,
  keyOfChannel,
  rounds,
  type TableStage,
  tableScene,
} from "./TableScene.ts"
import { planByHand } from "./UpkeepHarness.ts"

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

/** Channel 1 keeps half an XLM: it wants 4.5 to be at 5 again. */
const impoverish = Effect.fnUntraced(function* (stage: TableStage) {
  const channel = keyOfChannel(1)
  const payment = { source: channel.publicKey(), destination: wallets.other.publicKey() }
  actAs(
    stage,
    wallets.other,
    [channel],
    Operation.payment({ ...payment, asset: Asset.native(), amount: "4.5" }),
  )
  yield* stage.close
})

const upkeepStates = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ status: string }>`SELECT status FROM upkeep_transactions WHERE purpose = 'top_up'`
  return rows.map(({ status }) => status)
})

describe("XLM that a top-up and balances both want", () => {
  tableScene("is the balances' once they are signed: the top-up waits, and says so", (stage) =>
    Effect.gen(function* () {
      yield* impoverish(stage)
      yield* leaveXlm(stage, 12n * XLM)
      yield* acceptBalances(11)
      const late: Array<string> = []
      stage.wire.handlings.push((envelopeXdr) => {
        late.push(envelopeXdr)
        return Effect.succeed({ status: "PENDING", hash: "", latestLedger: 0, errorResultXdr: Option.none() })
      })
      yield* stepAs("one")
      expect(yield* tally).toEqual({ submitted: 11 })
      yield* topUpChannels()
      expect(yield* upkeepStates).toEqual([])
      expect(stage.alerts.join()).toContain("run short of XLM")
      for (const envelopeXdr of late) stage.network.submit(envelopeXdr)
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 11 })
      expect(yield* control).toBeNull()
    }),
  )

  tableScene("is the top-up's once that is signed: the balances beyond it are held", (stage) =>
    Effect.gen(function* () {
      yield* impoverish(stage)
      yield* leaveXlm(stage, 12n * XLM)
      yield* topUpChannels()
      expect(yield* upkeepStates).toEqual(["signed"])
      yield* acceptBalances(11)
      yield* drain(stage)
      // 12 - 4.5 - 0.00001 of fee leaves reserves for seven.
      expect(yield* tally).toEqual({ confirmed: 7, "held no_trustline": 4 })
      expect(yield* advanceUpkeep()).toBe("free")
      expect(yield* upkeepStates).toEqual(["applied"])
      expect(yield* control).toBeNull()
    }),
  )

  tableScene("is not taken by a plan that was made before the balances were signed", (stage) =>
    Effect.gen(function* () {
      yield* leaveXlm(stage, 12n * XLM)
      const plan = yield* planByHand("4.5")
      yield* acceptBalances(8)
      yield* stepAs("one")
      expect(yield* submitUpkeep(plan)).toBe(false)
      expect(yield* upkeepStates).toEqual([])
      // Settled since: the plan's answer is older than what it knows of.
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 8 })
      expect(yield* submitUpkeep(plan)).toBe(false)
      // 12 - 8 are left: 3.99999 and a fee of 100 stroops, to the stroop.
      expect(yield* submitUpkeep(yield* planByHand("3.9999901"))).toBe(false)
      expect(yield* submitUpkeep(yield* planByHand("3.9999900"))).toBe(true)
      yield* stage.close
      expect(yield* advanceUpkeep()).toBe("free")
      expect(yield* upkeepStates).toEqual(["applied"])
    }),
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
