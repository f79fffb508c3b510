/** Channels that run short of XLM get some, once for each shortage; a poor distribution account is said, not died of. */
import { describe, expect, test } from "bun:test"
import { Asset, Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { channelKeypair } from "../../layers/signer/ChannelKeys.ts"
import { readAccounts, readTreasury } from "../../src/issuance/LedgerAccounts.ts"
import { advanceUpkeep } from "../../src/issuance/UpkeepSteps.ts"
import { planTopUps, topUpChannels } from "../../src/issuance/UpkeepTopUps.ts"
import { Signer } from "../../src/ports/Signer.ts"
import type { TestNetwork } from "../support/IssuanceScene.ts"
import { asset, distribution, issuer, keypairOf } from "../support/TestNetwork.ts"
import { balanceOf, emptyStage, stageWithChannels, upkeepRows } from "./UpkeepHarness.ts"

const payXlm = (to: string, amount: string) =>
  Operation.payment({ destination: to, asset: Asset.native(), amount })

/** Channel `id` gives so much away, and its fee with it. */
const spend = (stage: TestNetwork, id: number, amount: string) =>
  stage.submit(channelKeypair(new Uint8Array(32).fill(7), id), payXlm(issuer.publicKey(), amount))

const view = (available: ReadonlyArray<bigint>) => ({
  accounts: new Map(
    available.map((availableStroops, id) => [
      `G${id}`,
      { sequence: 1n, sequenceLedger: undefined, balanceStroops: availableStroops, availableStroops },
    ]),
  ),
})

const rowsOf = (count: number) => Array.from({ length: count }, (_, id) => ({ id, address: `G${id}` }))

describe("the plan", () => {
  const bounds = { belowStroops: 20n, toStroops: 50n, budgetStroops: 1_000n }

  test("fills up those below the threshold, the poorest first", () => {
    const { chosen, missingStroops, poor } = planTopUps(rowsOf(4), view([19n, 20n, -3n, 50n]), bounds)
    expect(chosen.map(({ channelId, stroops }) => [channelId, stroops])).toEqual([
      [2, 53n],
      [0, 31n],
    ])
    expect({ poor, missingStroops }).toEqual({ poor: 2, missingStroops: 0n })
  })

  test("pays for as many as it can, and states what is missing", () => {
    const { chosen, missingStroops } = planTopUps(rowsOf(3), view([0n, 0n, 10n]), {
      ...bounds,
      budgetStroops: 95n,
    })
    // 50 + 40 of the 140 that are wanted; the second 50 does not fit beside the first.
    expect(chosen.map(({ channelId }) => channelId)).toEqual([0, 2])
    expect(missingStroops).toBe(45n)
    expect(planTopUps(rowsOf(1), view([0n]), { ...bounds, budgetStroops: -7n })).toMatchObject({
      chosen: [],
      missingStroops: 50n,
    })
  })

  test("takes a hundred in one transaction, and 1,000 XLM", () => {
    const poor = Array.from({ length: 150 }, () => 0n)
    expect(planTopUps(rowsOf(150), view(poor), { ...bounds, budgetStroops: 10n ** 12n }).chosen.length).toBe(
      100,
    )
    const rich = { belowStroops: 20n, toStroops: 50_0000000n, budgetStroops: 10n ** 12n }
    expect(planTopUps(rowsOf(150), view(poor), rich).chosen.length).toBe(20)
  })
})

describe("a channel", () => {
  stageWithChannels("below the threshold is filled up, once", (stage) =>
    Effect.gen(function* () {
      yield* topUpChannels()
      expect(yield* upkeepRows("top_up")).toEqual([])
      // 5 - 3 - 0.00001 of fee: below 2. Channel 1 keeps exactly 2.
      spend(stage, 0, "3")
      spend(stage, 1, "2.9999900")
      yield* stage.close
      expect(yield* balanceOf(0)).toBe("1.9999900")
      expect(yield* balanceOf(1)).toBe("2.0000000")
      yield* Effect.all([topUpChannels(), topUpChannels()], { concurrency: 2 })
      yield* topUpChannels()
      yield* stage.close
      expect(yield* advanceUpkeep()).toBe("free")
      yield* topUpChannels()
      const rows = yield* upkeepRows("top_up")
      expect(rows.map(({ status, subjects }) => [status, subjects])).toEqual([["applied", ["0"]]])
      expect(yield* balanceOf(0)).toBe("5.0000000")
      expect(yield* balanceOf(1)).toBe("2.0000000")
    }),
  )

  stageWithChannels("that cannot be paid for waits, and nothing is sent", (stage) =>
    Effect.gen(function* () {
      spend(stage, 0, "4")
      const { treasury } = yield* readTreasury([])
      const spare = (Number(treasury?.nativeAvailableStroops ?? 0n) / 1e7 - 2).toFixed(7)
      stage.submit(distribution, payXlm(issuer.publicKey(), spare))
      yield* stage.close
      yield* topUpChannels()
      expect(yield* upkeepRows("top_up")).toEqual([])
      stage.submit(issuer, payXlm(distribution.publicKey(), "50"))
      yield* stage.close
      yield* topUpChannels()
      yield* stage.close
      expect(yield* advanceUpkeep()).toBe("free")
      expect(yield* balanceOf(0)).toBe("5.0000000")
    }),
  )
})

describe("what an account can spend", () => {
  emptyStage("is its balance above (2 + subentries + sponsoring - sponsored) half XLM (CAP-33)", (stage) =>
    Effect.gen(function* () {
      const [plain, busy] = [keypairOf("plain"), keypairOf("busy")]
      stage.fund(plain, busy)
      yield* stage.close
      stage.trust(busy)
      yield* stage.close
      stage.submit(busy, Operation.manageData({ name: "mine", value: "1" }))
      yield* stage.close
      const view = yield* readAccounts([plain.publicKey(), busy.publicKey()])
      const kept = (address: string) => {
        const account = view.accounts.get(address)
        return account === undefined ? undefined : account.balanceStroops - account.availableStroops
      }
      expect(kept(plain.publicKey())).toBe(1_0000000n)
      // With a trustline and a data entry.
      expect(kept(busy.publicKey())).toBe(2_0000000n)
    }),
  )

  stageWithChannels("counts channels that it sponsors, and the channels nothing", () =>
    Effect.gen(function* () {
      const signer = yield* Signer
      const channel = yield* signer.channelAddress(0)
      const { accounts, treasury } = yield* readTreasury([channel])
      const own = accounts.get(distribution.publicKey())
      // Four channels at two reserves each, one trustline, and the account itself: (2 + 1 + 8) * 0.5.
      expect((own?.balanceStroops ?? 0n) - (own?.availableStroops ?? 0n)).toBe(5_5000000n)
      expect(accounts.get(channel)).toMatchObject({
        balanceStroops: 5_0000000n,
        availableStroops: 5_0000000n,
      })
      expect(treasury).toEqual({
        assetStroops: 100_000_0000000n,
        nativeAvailableStroops: own?.availableStroops ?? 0n,
      })
    }),
  )

  emptyStage("without a trustline is no asset at all", (stage) =>
    Effect.gen(function* () {
      stage.submit(
        distribution,
        Operation.payment({ destination: issuer.publicKey(), asset, amount: "100000" }),
      )
      yield* stage.close
      stage.submit(distribution, Operation.changeTrust({ asset, limit: "0" }))
      yield* stage.close
      expect((yield* readTreasury([])).treasury?.assetStroops).toBe(0n)
    }),
  )
})
