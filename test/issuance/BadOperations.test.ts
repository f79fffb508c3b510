/**
 * One failed operation fails the whole transaction, and names all the bad ones: whatever their number, the others
 * are paid by the next one. Where preflight can see them, they cost the others nothing at all.
 */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { accept, issuances, tally, wallets } from "../support/IssuanceScene.ts"
import { rewards, stepAs } from "../support/WorkerScene.ts"
import { control, drain, envelopes, meanwhile, tableScene } from "./TableScene.ts"
import { makeWallets, removeLines } from "./TableWallets.ts"

const paying = (wallets: ReadonlyArray<{ publicKey(): string }>) =>
  wallets.map((wallet, index) => ({ wallet: wallet.publicKey(), amountStroops: BigInt(index + 1) }))

describe("a batch of a hundred, of which some are bad when the ledger comes to them", () => {
  for (const bad of [1, 3, 50]) {
    tableScene(`${bad} bad: they fail for their reason, the others settle within three ledgers`, (stage) =>
      Effect.gen(function* () {
        const spoilt = yield* makeWallets(stage, "spoilt", bad)
        stage.wire.handlings.push(meanwhile(stage, () => removeLines(stage, spoilt)))
        // In the midst of the good ones, and at both ends of the batch.
        const [first, ...rest] = paying(spoilt)
        const good = rewards(100 - bad)
        yield* accept([
          ...(first === undefined ? [] : [first]),
          ...good.slice(0, 30),
          ...rest,
          ...good.slice(30),
        ])
        yield* stepAs("one")
        const sentAt = stage.network.latest().sequence
        yield* drain(stage)
        expect(yield* tally).toEqual({ confirmed: 100 - bad, "failed no_trustline": bad })
        for (const { ledger } of yield* issuances) {
          if (ledger !== null) expect(Number(ledger)).toBeLessThanOrEqual(sentAt + 3)
        }
        // No bisection: the failed one and the one that pays.
        const all = yield* envelopes
        expect(all.map(({ issuance_ids }) => issuance_ids.length)).toEqual([100, 100 - bad])
        expect(yield* control).toBeNull()
      }),
    )
  }
})

describe("bad recipients that preflight sees", () => {
  for (const bad of [1, 3, 50]) {
    tableScene(
      `${bad} bad of a hundred: the others are in the first ledger, and nothing is signed in vain`,
      (stage) =>
        Effect.gen(function* () {
          yield* accept([...rewards(50), ...rewards(bad, wallets.without.publicKey()), ...rewards(50 - bad)])
          yield* stepAs("one")
          const sentAt = stage.network.latest().sequence
          yield* drain(stage)
          expect(yield* tally).toEqual({ confirmed: 100 - bad, "failed no_trustline": bad })
          const ledgers = (yield* issuances).flatMap(({ ledger }) =>
            ledger === null ? [] : [Number(ledger)],
          )
          expect(new Set(ledgers)).toEqual(new Set([sentAt + 1]))
          const all = yield* envelopes
          expect(all.map(({ status }) => status)).toEqual(["applied"])
        }),
    )
  }

  tableScene(
    "their places in the batch are taken by others",
    (stage) =>
      Effect.gen(function* () {
        yield* accept([...rewards(50, wallets.without.publicKey()), ...rewards(100)])
        yield* stepAs("one")
        const all = yield* envelopes
        expect(all.map(({ issuance_ids }) => issuance_ids.length)).toEqual([100])
        yield* drain(stage)
        expect(yield* tally).toEqual({ confirmed: 100, "failed no_trustline": 50 })
      }),
    { channels: 1 },
  )
})
