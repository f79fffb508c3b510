/** What Preflight says about recipients in every state that a ledger can show, and how often it asks. */
import { describe, expect } from "bun:test"
import {
  AuthClawbackEnabledFlag,
  AuthRequiredFlag,
  AuthRevocableFlag,
  encodeMuxedAccount,
  encodeMuxedAccountToAddress,
  type Keypair,
  Operation,
  xdr,
} from "@stellar/stellar-sdk"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as Wiring from "../../layers/Test.ts"
import { IssuanceSettings } from "../../src/issuance/IssuanceSettings.ts"
import { Preflight, type PreflightPayment } from "../../src/issuance/Preflight.ts"
import { SorobanRpc, SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import { effect } from "../support/it.ts"
import { asset, issuer, keypairOf, makeTestNetwork, settings } from "../support/TestNetwork.ts"

const muxed = (address: string) => encodeMuxedAccountToAddress(encodeMuxedAccount(address, "7"))

let payments = 0

const pay = (wallet: Keypair, amountStroops = 1n, walletAddress = wallet.publicKey()): PreflightPayment => ({
  issuanceId: `iss_${++payments}`,
  walletAddress,
  walletAccount: wallet.publicKey(),
  amountStroops,
})

type Answers = (rpc: SorobanRpc["Service"]) => SorobanRpc["Service"]

/** A network with the issuer on it, Preflight on it, and the number of keys of each call so far. */
const stageOf = (meddle: Answers = (rpc) => rpc) => {
  const stage = makeTestNetwork()
  const calls: Array<number> = []
  const counted: Answers = (rpc) => ({
    ...rpc,
    getLedgerEntries: (keys) =>
      Effect.suspend(() => {
        calls.push(keys.length)
        return rpc.getLedgerEntries(keys)
      }),
  })
  const layer = Preflight.layer.pipe(
    Layer.provide(
      Layer.effect(
        SorobanRpc,
        Effect.map(SorobanRpc, (rpc) => counted(meddle(rpc))),
      ),
    ),
    Layer.provide(Layer.mergeAll(Wiring.network(stage.network), Layer.succeed(IssuanceSettings, settings))),
  )
  return { ...stage, calls, layer }
}

type Stage = ReturnType<typeof stageOf>

const preflight = (
  name: string,
  body: (stage: Stage) => Effect.Effect<unknown, unknown, Preflight>,
  answers?: Answers,
) =>
  effect(name, () => {
    const stage = stageOf(answers)
    return Effect.gen(function* () {
      yield* stage.close
      stage.fund(issuer)
      yield* stage.close
      yield* body(stage)
    }).pipe(Effect.provide(stage.layer, { local: true }))
  })

const check = (...list: ReadonlyArray<PreflightPayment>) =>
  Effect.gen(function* () {
    const service = yield* Preflight
    const { refused, unseen } = yield* service.check(list, 0)
    return list.map(({ issuanceId }) => (unseen.has(issuanceId) ? "unseen" : refused.get(issuanceId)))
  })

/** Two nodes behind one address: while `isOld` it is the one that stands still at what it saw first. */
const makeTwoNodes = () => {
  const nodes = { isOld: false }
  const meddle: Answers = (rpc) => {
    let seen: Effect.Success<ReturnType<typeof rpc.getLedgerEntries>> | undefined
    return {
      ...rpc,
      getLedgerEntries: (keys) =>
        Effect.map(rpc.getLedgerEntries(keys), (now) => {
          seen ??= now
          return nodes.isOld ? seen : now
        }),
    }
  }
  return { nodes, meddle }
}

/** A wallet whose line takes `limit` NOVA. */
const openLine = (stage: Stage, wallet: Keypair, limit?: string) =>
  Effect.gen(function* () {
    stage.fund(wallet)
    yield* stage.close
    stage.submit(wallet, Operation.changeTrust({ asset, ...(limit === undefined ? {} : { limit }) }))
    yield* stage.close
  })

const issue = (stage: Stage, wallet: Keypair, amount: string) =>
  Effect.andThen(
    Effect.sync(() =>
      stage.submit(issuer, Operation.payment({ destination: wallet.publicKey(), asset, amount })),
    ),
    stage.close,
  )

const wallet = keypairOf("wallet")

describe("a recipient", () => {
  preflight("without an account, without a line, with one", (stage) =>
    Effect.gen(function* () {
      const lineless = keypairOf("lineless")
      stage.fund(lineless)
      yield* openLine(stage, wallet)
      const nobody = keypairOf("nobody")
      expect(yield* check(pay(nobody), pay(lineless), pay(wallet))).toEqual([
        "no_account",
        "no_trustline",
        undefined,
      ])
      // Trustline and data of each of the three; then the accounts of the two without a line.
      expect(stage.calls).toEqual([6, 2])
    }),
  )

  preflight("whose line is not authorised, may only maintain liabilities, is authorised", (stage) =>
    Effect.gen(function* () {
      const demanding = [AuthRequiredFlag, AuthRevocableFlag] as const
      stage.submit(issuer, ...demanding.map((setFlags) => Operation.setOptions({ setFlags })))
      yield* stage.close
      yield* openLine(stage, wallet)
      expect(yield* check(pay(wallet))).toEqual(["not_authorized"])
      const authorise = (flags: { authorized?: boolean; authorizedToMaintainLiabilities?: boolean }) => {
        stage.submit(issuer, Operation.setTrustLineFlags({ trustor: wallet.publicKey(), asset, flags }))
        return stage.close
      }
      yield* authorise({ authorizedToMaintainLiabilities: true })
      expect(yield* check(pay(wallet))).toEqual(["not_authorized"])
      yield* authorise({ authorized: true, authorizedToMaintainLiabilities: false })
      expect(yield* check(pay(wallet))).toEqual([undefined])
    }),
  )

  preflight("authorised on a line that the issuer may claw back from", (stage) =>
    Effect.gen(function* () {
      const flags = [AuthRevocableFlag, AuthClawbackEnabledFlag] as const
      stage.submit(issuer, ...flags.map((setFlags) => Operation.setOptions({ setFlags })))
      yield* stage.close
      yield* openLine(stage, wallet)
      expect(yield* check(pay(wallet))).toEqual([undefined])
    }),
  )
})

describe("a line's limit", () => {
  preflight("takes exactly what is left, and not one stroop more", (stage) =>
    Effect.gen(function* () {
      yield* openLine(stage, wallet, "10")
      yield* issue(stage, wallet, "4")
      // 10 - 4 NOVA are 60,000,000 stroops.
      expect(yield* check(pay(wallet, 60_000_001n))).toEqual(["limit_exceeded"])
      expect(yield* check(pay(wallet, 60_000_000n))).toEqual([undefined])
    }),
  )

  preflight("counts a batch's payments together, in their order, under both kinds of address", (stage) =>
    Effect.gen(function* () {
      yield* openLine(stage, wallet, "10")
      expect(
        yield* check(
          pay(wallet, 60_000_000n),
          pay(wallet, 40_000_001n, muxed(wallet.publicKey())),
          pay(wallet, 40_000_000n),
          pay(wallet, 1n),
        ),
      ).toEqual([undefined, "limit_exceeded", undefined, "limit_exceeded"])
    }),
  )

  const bidding: Answers = (rpc) => ({
    ...rpc,
    getLedgerEntries: (keys) =>
      Effect.map(rpc.getLedgerEntries(keys), (answer) => ({
        ...answer,
        entries: answer.entries.map((entry) => ({ ...entry, xdr: withOffer(entry.xdr, 30_000_000n) })),
      })),
  })
  preflight(
    "is taken by open offers to buy, too",
    (stage) =>
      Effect.gen(function* () {
        yield* openLine(stage, wallet, "10")
        expect(yield* check(pay(wallet, 70_000_001n))).toEqual(["limit_exceeded"])
        expect(yield* check(pay(wallet, 70_000_000n))).toEqual([undefined])
      }),
    bidding,
  )
})

/** The embedded network has no offers: the entry as core would show it with buying liabilities. */
const withOffer = (data: string, buying: bigint): string => {
  const entry = xdr.LedgerEntryData.fromXDR(data, "base64")
  if (entry.type !== "trustline") return data
  const { accountId, asset: line, balance, flags, limit } = entry.trustLine
  const ext = xdr.TrustLineEntryExt.v1(
    new xdr.TrustLineEntryV1({
      liabilities: new xdr.Liabilities({ buying, selling: 0n }),
      ext: xdr.TrustLineEntryV1Ext.v0(),
    }),
  )
  return xdr.LedgerEntryData.trustline(
    new xdr.TrustLineEntry({ accountId, asset: line, balance, limit, flags, ext }),
  ).toXDR("base64")
}

describe("SEP-29", () => {
  preflight('a data entry of exactly "1" demands a memo of G..., not of M...', (stage) =>
    Effect.gen(function* () {
      const both = () => [pay(wallet), pay(wallet, 1n, muxed(wallet.publicKey()))]
      const say = (value: string | null) => {
        stage.submit(wallet, Operation.manageData({ name: "config.memo_required", value }))
        return stage.close
      }
      yield* openLine(stage, wallet)
      yield* say("1")
      expect(yield* check(...both())).toEqual(["memo_required", undefined])
      for (const value of ["0", "11", "true"]) {
        yield* say(value)
        expect(yield* check(...both())).toEqual([undefined, undefined])
        // What was good is believed for a while.
        yield* TestClock.adjust("15 seconds")
      }
      yield* say("1")
      expect(yield* check(...both())).toEqual(["memo_required", undefined])
      yield* say(null)
      expect(yield* check(...both())).toEqual([undefined, undefined])
    }),
  )

  preflight("goes before a missing line: no claimable balance is left to such an account", (stage) =>
    Effect.gen(function* () {
      stage.fund(wallet)
      yield* stage.close
      stage.submit(wallet, Operation.manageData({ name: "config.memo_required", value: "1" }))
      yield* stage.close
      expect(yield* check(pay(wallet), pay(wallet, 1n, muxed(wallet.publicKey())))).toEqual([
        "memo_required",
        "no_trustline",
      ])
    }),
  )
})

describe("calls", () => {
  const hundred = Array.from({ length: 101 }, (_, index) => keypairOf(`many ${index}`))

  preflight("a hundred recipients are one call of 200 keys, one more a second one", (stage) =>
    Effect.gen(function* () {
      stage.fund(...hundred.slice(0, 20))
      yield* stage.close
      stage.trust(...hundred.slice(0, 20))
      yield* stage.close
      yield* check(...hundred.slice(0, 100).map((one) => pay(one)))
      // 80 have no line, so their accounts are asked for.
      expect(stage.calls).toEqual([200, 80])
      yield* TestClock.adjust("15 seconds")
      const all = yield* check(...hundred.map((one) => pay(one)))
      expect(stage.calls.slice(2)).toEqual([200, 2, 81])
      expect(all.filter((reason) => reason === "no_account").length).toBe(81)
      expect(all.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => undefined))
    }),
  )

  preflight("nobody is asked about for an empty batch", (stage) =>
    Effect.gen(function* () {
      expect(yield* check()).toEqual([])
      expect(stage.calls).toEqual([])
    }),
  )

  preflight("a good answer is believed for 15 s, a bad one never", (stage) =>
    Effect.gen(function* () {
      const lineless = keypairOf("lineless")
      stage.fund(lineless)
      yield* openLine(stage, wallet)
      const asked = () => stage.calls.length
      yield* check(pay(wallet), pay(lineless))
      expect(asked()).toBe(2)
      yield* TestClock.adjust("14999 millis")
      yield* check(pay(wallet))
      expect(asked()).toBe(2)
      yield* check(pay(lineless))
      expect(asked()).toBe(4)
      yield* TestClock.adjust("1 millis")
      yield* check(pay(wallet))
      expect(asked()).toBe(5)
    }),
  )

  preflight(
    "remembered room shrinks by what was let through, and is read again when it runs short",
    (stage) =>
      Effect.gen(function* () {
        yield* openLine(stage, wallet, "10")
        expect(yield* check(pay(wallet, 60_000_000n))).toEqual([undefined])
        expect(yield* check(pay(wallet, 30_000_000n))).toEqual([undefined])
        expect(stage.calls.length).toBe(1)
        // 10,000,000 are left by memory: asked again, the ledger has seen no payment and shows all of it.
        expect(yield* check(pay(wallet, 10_000_001n))).toEqual([undefined])
        expect(stage.calls.length).toBe(2)
        yield* issue(stage, wallet, "9")
        expect(yield* check(pay(wallet, 89_999_999n), pay(wallet, 10_000_001n))).toEqual([
          "limit_exceeded",
          "limit_exceeded",
        ])
        expect(stage.calls.length).toBe(3)
        expect(yield* check(pay(wallet, 10_000_000n))).toEqual([undefined])
      }),
  )

  preflight("a refusal forgets what was believed", (stage) =>
    Effect.gen(function* () {
      yield* openLine(stage, wallet, "10")
      expect(yield* check(pay(wallet))).toEqual([undefined])
      stage.submit(wallet, Operation.changeTrust({ asset, limit: "0" }))
      yield* stage.close
      // Beyond what was remembered, so it is asked: the line is gone.
      expect(yield* check(pay(wallet, 100_000_000n))).toEqual(["no_trustline"])
      expect(yield* check(pay(wallet))).toEqual(["no_trustline"])
    }),
  )

  let isDown = false
  const breaking: Answers = (rpc) => ({
    ...rpc,
    getLedgerEntries: (keys) =>
      isDown
        ? Effect.fail(
            new SorobanRpcError({ method: "getLedgerEntries", reason: "timeout", message: "silence" }),
          )
        : rpc.getLedgerEntries(keys),
  })
  preflight(
    "a node that gives no answer is an error, and nothing is remembered of it",
    (stage) =>
      Effect.gen(function* () {
        yield* openLine(stage, wallet)
        isDown = true
        expect(yield* Effect.flip(check(pay(wallet)))).toMatchObject({
          _tag: "SorobanRpcError",
          reason: "timeout",
        })
        isDown = false
        expect(yield* check(pay(wallet))).toEqual([undefined])
      }),
    breaking,
  )
})

describe("a node that lags", () => {
  const { meddle, nodes } = makeTwoNodes()
  preflight(
    "speaks against nobody: it does not know yet who made a trustline",
    (stage) =>
      Effect.gen(function* () {
        expect(yield* check(pay(wallet))).toEqual(["no_account"])
        yield* openLine(stage, wallet)
        const nobody = keypairOf("nobody")
        expect(yield* check(pay(nobody))).toEqual(["no_account"])
        nodes.isOld = true
        expect(yield* check(pay(wallet), pay(nobody))).toEqual(["unseen", "unseen"])
        nodes.isOld = false
        expect(yield* check(pay(wallet), pay(nobody))).toEqual([undefined, "no_account"])
      }),
    meddle,
  )

  preflight("is known by what the caller has seen of the ledger, too", (stage) =>
    Effect.gen(function* () {
      const service = yield* Preflight
      const ahead = stage.network.latest().sequence + 1
      const { refused, unseen } = yield* service.check([pay(wallet)], ahead)
      expect([refused.size, unseen.size]).toEqual([0, 1])
    }),
  )
})
