/**
 * What becomes of a reward whose recipient cannot take a payment: by the campaign's policy, the reason that preflight
 * finds, and the kind of address. The expected ends are the design's: a missing trustline or account is what
 * `claimable_balance` is for; a memo is always waited for, unless the address itself is muxed (SEP-29); a balance
 * names an account and cannot tell whose of a muxed one it is.
 */
import { describe, expect } from "bun:test"
import {
  Account,
  type AuthFlag,
  AuthRevocableFlag,
  MuxedAccount,
  Operation,
  StrKey,
} from "@stellar/stellar-sdk"
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { MissingTrustlinePolicy } from "../../src/issuance/RecipientPolicy.ts"
import { CAMPAIGN, issuances, wallets } from "../support/IssuanceScene.ts"
import { asset, distribution, issuer, keypairOf } from "../support/TestNetwork.ts"
import { stepAs } from "../support/WorkerScene.ts"
import { acceptAll } from "./TableAccept.ts"
import { actAs, control, drain, envelopes, rounds, type TableStage, tableScene } from "./TableScene.ts"
import { makeWallets } from "./TableWallets.ts"

const muxed = (address: string) => new MuxedAccount(new Account(address, "0"), "7").accountId()
const nobody = keypairOf("nobody").publicKey()

/** One account for each reason. */
const makeRecipients = Effect.fnUntraced(function* (stage: TableStage) {
  const [full, barred, memo, memoOnly] = yield* makeWallets(stage, "recipient", 4)
  if (full === undefined || barred === undefined || memo === undefined || memoOnly === undefined)
    throw new Error()
  const askForMemo = (source: string) =>
    Operation.manageData({ source, name: "config.memo_required", value: "1" })
  actAs(
    stage,
    issuer,
    [full, memo, memoOnly],
    Operation.setOptions({ setFlags: AuthRevocableFlag as AuthFlag }),
    Operation.setTrustLineFlags({ trustor: barred.publicKey(), asset, flags: { authorized: false } }),
    Operation.changeTrust({ source: full.publicKey(), asset, limit: "0.0000004" }),
    askForMemo(memo.publicKey()),
    askForMemo(memoOnly.publicKey()),
    Operation.changeTrust({ source: memoOnly.publicKey(), asset, limit: "0" }),
  )
  yield* stage.close
  return {
    good: wallets.trusting.publicKey(),
    no_trustline: wallets.without.publicKey(),
    no_account: nobody,
    line_full: full.publicKey(),
    not_authorized: barred.publicKey(),
    memo_required: memo.publicKey(),
    memo_without_line: memoOnly.publicKey(),
  }
})

type Recipient = keyof Effect.Success<ReturnType<typeof makeRecipients>>

const failed = (reason: string) => `failed ${reason}`
const held = (reason: string) => `held ${reason}`

/** For a G address and for an M address of the same account. */
const ENDS: Record<MissingTrustlinePolicy, Record<Recipient, readonly [string, string]>> = {
  fail: {
    good: ["paid", "paid"],
    no_trustline: [failed("no_trustline"), failed("no_trustline")],
    no_account: [failed("no_account"), failed("no_account")],
    line_full: [failed("limit_exceeded"), failed("limit_exceeded")],
    not_authorized: [failed("not_authorized"), failed("not_authorized")],
    memo_required: [held("memo_required"), "paid"],
    memo_without_line: [held("memo_required"), failed("no_trustline")],
  },
  hold: {
    good: ["paid", "paid"],
    no_trustline: [held("no_trustline"), held("no_trustline")],
    no_account: [held("no_account"), held("no_account")],
    line_full: [held("limit_exceeded"), held("limit_exceeded")],
    not_authorized: [held("not_authorized"), held("not_authorized")],
    memo_required: [held("memo_required"), "paid"],
    memo_without_line: [held("memo_required"), held("no_trustline")],
  },
  claimable_balance: {
    good: ["paid", "paid"],
    no_trustline: ["balance", held("no_trustline")],
    no_account: ["balance", held("no_account")],
    line_full: [held("limit_exceeded"), held("limit_exceeded")],
    not_authorized: [held("not_authorized"), held("not_authorized")],
    memo_required: [held("memo_required"), "paid"],
    memo_without_line: [held("memo_required"), held("no_trustline")],
  },
}

const RECLAIM_SECONDS = 3_600

/** What each reward has come to: "paid", "balance", "failed no_trustline", "held memo_required". */
const endOf = ({ reason, status }: { status: string; reason: string | null }, hasBalance: boolean) =>
  status === "confirmed" ? (hasBalance ? "balance" : "paid") : `${status} ${reason}`

describe("onMissingTrustline", () => {
  for (const policy of ["fail", "hold", "claimable_balance"] as const) {
    tableScene(`${policy}: every reason, to G and to M addresses, in one batch`, (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`
          UPDATE campaigns SET on_missing_trustline = ${policy}, reclaim_after_s = ${RECLAIM_SECONDS}
          WHERE id = ${CAMPAIGN}`
        const recipients = Object.entries(yield* makeRecipients(stage))
        const ids = yield* acceptAll(
          recipients.flatMap(([, address]) => [
            { wallet: address, amountStroops: 5n },
            { wallet: muxed(address), amountStroops: 5n },
          ]),
        )
        yield* stepAs("one")
        const heldAt = yield* Clock.currentTimeMillis
        yield* drain(stage)
        const balances = yield* sql<{ issuance_id: string }>`SELECT issuance_id FROM claimable_balances`
        const withBalance = new Set(balances.map(({ issuance_id }) => issuance_id))
        const rows = new Map((yield* issuances).map((row) => [row.id, row]))
        const ends = Object.fromEntries(
          recipients.map(([name], index) => [
            name,
            [ids[index * 2] ?? "", ids[index * 2 + 1] ?? ""].map((id) => {
              const row = rows.get(id)
              return row === undefined ? "lost" : endOf(row, withBalance.has(id))
            }),
          ]),
        )
        expect(ends).toEqual(ENDS[policy] as never)
        // One transaction, none in vain; who is held is looked at again five seconds later.
        expect((yield* envelopes).map(({ status }) => status)).toEqual(["applied"])
        const checks = yield* sql<{ at: Date }>`
          SELECT DISTINCT held_check_at AS at FROM reward_issuances WHERE status = 'held'`
        expect(checks.map(({ at }) => at.getTime())).toEqual([heldAt + 5_000])
        expect(yield* control).toBeNull()
      }),
    )
  }

  tableScene(
    "a claimable balance is on the ledger as its row says: id, claimants, and when it may be taken back",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`
        UPDATE campaigns SET on_missing_trustline = 'claimable_balance', reclaim_after_s = ${RECLAIM_SECONDS}
        WHERE id = ${CAMPAIGN}`
        const [good = "", id = ""] = yield* acceptAll([
          { wallet: wallets.trusting.publicKey(), amountStroops: 3n },
          { wallet: wallets.without.publicKey(), amountStroops: 5n },
        ])
        const signedAtMs = yield* Clock.currentTimeMillis
        yield* drain(stage)
        const [entry, ...others] = stage.network.entriesOf("claimableBalance")
        expect(others).toEqual([])
        if (entry?.entry.data.type !== "claimableBalance") throw new Error("no balance on the ledger")
        const { amount, balanceId, claimants } = entry.entry.data.claimableBalance
        const reclaimMs = signedAtMs + RECLAIM_SECONDS * 1_000
        expect(amount).toBe(5n)
        expect(
          claimants.map(({ v0 }) => [
            StrKey.encodeEd25519PublicKey(v0.destination.ed25519.value),
            v0.predicate.type,
          ]),
        ).toEqual([
          [wallets.without.publicKey(), "claimPredicateUnconditional"],
          [distribution.publicKey(), "claimPredicateNot"],
        ])
        const ours = claimants[1]?.v0.predicate
        const before = ours?.type === "claimPredicateNot" ? ours.notPredicate : undefined
        expect(before?.type === "claimPredicateBeforeAbsoluteTime" && before.absBefore).toBe(
          BigInt(reclaimMs / 1_000),
        )
        const rows = yield* sql`SELECT issuance_id, balance_id, reclaim_after, status FROM claimable_balances`
        expect(rows).toEqual([
          {
            issuance_id: id,
            balance_id: balanceId.toXdr("hex"),
            reclaim_after: new Date(reclaimMs),
            status: "open",
          },
        ])
        expect((yield* issuances).map((row) => [row.id, row.operation_index])).toEqual([
          [good, 0],
          [id, 1],
        ])
      }),
  )
})

describe("a payment that the database lost", () => {
  tableScene(
    "a reward that looks like it is held for an operator and never paid, others of the wallet are",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const wallet = wallets.trusting.publicKey()
        const now = new Date(yield* Clock.currentTimeMillis)
        yield* sql`
        INSERT INTO unmatched_payments (tx_hash, operation_index, ledger, channel_id, sequence, wallet_account,
          wallet_address, amount_stroops, found_at)
        VALUES (${"ab".repeat(32)}, 0, 5, 0, 1, ${wallet}, ${wallet}, 7, ${now})`
        const [like = "", muxedLike = ""] = yield* acceptAll([
          { wallet, amountStroops: 7n },
          { wallet: muxed(wallet), amountStroops: 7n },
          { wallet, amountStroops: 8n },
          { wallet: wallets.other.publicKey(), amountStroops: 7n },
        ])
        yield* drain(stage)
        yield* rounds(stage, 3)
        const rows = yield* sql`
        SELECT id, reason, held_check_at FROM reward_issuances WHERE status = 'held' ORDER BY id`
        expect(rows).toEqual(
          [like, muxedLike].map((id) => ({ id, reason: "under_review", held_check_at: null })),
        )
        expect((yield* issuances).filter(({ status }) => status === "confirmed").length).toBe(2)
      }),
  )
})

describe("a node that lags", () => {
  tableScene("nobody is paid or refused on its word: the batch waits for one that does not", (stage) =>
    Effect.gen(function* () {
      const [keys] = yield* makeWallets(stage, "wants a memo soon", 1)
      if (keys === undefined) throw new Error()
      const wallet = keys.publicKey()
      yield* acceptAll([{ wallet, amountStroops: 1n }])
      yield* drain(stage)
      actAs(stage, keys, [], Operation.manageData({ name: "config.memo_required", value: "1" }))
      // Until what was known of it is believed no more.
      yield* rounds(stage, 4)
      yield* acceptAll([{ wallet: wallets.other.publicKey(), amountStroops: 2n }])
      yield* drain(stage)

      stage.wire.isStale = true
      yield* acceptAll([{ wallet, amountStroops: 3n }])
      yield* rounds(stage, 2)
      expect((yield* issuances).map(({ status }) => status)).toEqual(["confirmed", "confirmed", "submitted"])
      expect((yield* envelopes).length).toBe(2)
      stage.wire.isStale = false
      yield* rounds(stage, 2)
      expect((yield* issuances).map(({ reason, status }) => `${status} ${reason}`)).toEqual([
        "confirmed null",
        "confirmed null",
        "held memo_required",
      ])
    }),
  )
})
