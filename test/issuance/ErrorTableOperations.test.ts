/**
 * The design's error table: results of the operations. Preflight has seen nothing wrong; then something changes, and
 * the ledger itself refuses. A recipient's fault ends that reward as its campaign's policy says, and costs the others
 * nothing but a ledger; the program's own fault pauses issuing, and nobody fails for it.
 */
import { describe, expect } from "bun:test"
import {
  Asset,
  type AuthFlag,
  AuthRevocableFlag,
  type Keypair,
  Operation,
  StrKey,
  type xdr,
} from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { IssuanceControl } from "../../src/issuance/IssuanceControl.ts"
import type { MissingTrustlinePolicy } from "../../src/issuance/RecipientPolicy.ts"
import { formatAmount } from "../../src/kernel/Amount.ts"
import { upkeepOnce } from "../../src/programs/IssuanceUpkeep.ts"
import { accept, CAMPAIGN, issuances, tally, wallets } from "../support/IssuanceScene.ts"
import { asset, distribution, issuer } from "../support/TestNetwork.ts"
import { burn, rewards, stepAs } from "../support/WorkerScene.ts"
import {
  actAs,
  channelStates,
  control,
  drain,
  envelopes,
  meanwhile,
  rounds,
  type TableStage,
  tableScene,
} from "./TableScene.ts"

const { other, trusting } = wallets
const REVOCABLE = AuthRevocableFlag as AuthFlag

const setPolicy = (policy: MissingTrustlinePolicy) =>
  SqlClient.SqlClient.use(
    (sql) => sql`UPDATE campaigns SET on_missing_trustline = ${policy} WHERE id = ${CAMPAIGN}`,
  )

const removeLine = () => Operation.changeTrust({ source: other.publicKey(), asset, limit: "0" })
const revoke = (trustor: string): ReadonlyArray<xdr.Operation> => [
  Operation.setOptions({ source: issuer.publicKey(), setFlags: REVOCABLE }),
  Operation.setTrustLineFlags({
    source: issuer.publicKey(),
    trustor,
    asset,
    flags: { authorized: false },
  }),
]

/** What happens to the recipient `other` between preflight and ledger. */
const RECIPIENT: Record<string, (stage: TableStage) => void> = {
  op_no_trust: (stage) => actAs(stage, trusting, [other], removeLine()),
  op_no_destination: (stage) =>
    actAs(
      stage,
      trusting,
      [other],
      removeLine(),
      Operation.accountMerge({ source: other.publicKey(), destination: trusting.publicKey() }),
    ),
  op_line_full: (stage) =>
    actAs(
      stage,
      trusting,
      [other],
      Operation.changeTrust({ source: other.publicKey(), asset, limit: "0.0000004" }),
    ),
  op_not_authorized: (stage) => actAs(stage, trusting, [issuer], ...revoke(other.publicKey())),
}

/** By the design: hold or fail by the campaign's policy; a balance only for who can have no trustline. */
const ENDS: ReadonlyArray<readonly [string, string, Record<MissingTrustlinePolicy, string>]> = [
  ["op_no_trust", "no_trustline", { fail: "failed", hold: "held", claimable_balance: "confirmed" }],
  ["op_no_destination", "no_account", { fail: "failed", hold: "held", claimable_balance: "confirmed" }],
  ["op_line_full", "limit_exceeded", { fail: "failed", hold: "held", claimable_balance: "held" }],
  ["op_not_authorized", "not_authorized", { fail: "failed", hold: "held", claimable_balance: "held" }],
]

describe("op_no_trust, op_no_destination, op_line_full, op_not_authorized: that recipient, by its campaign's policy", () => {
  for (const [code, reason, ends] of ENDS) {
    for (const policy of ["fail", "hold", "claimable_balance"] as const) {
      tableScene(
        `${code} under ${policy}: ${ends[policy]}, and the rest is paid in the next batch`,
        (stage) =>
          Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            yield* setPolicy(policy)
            stage.wire.handlings.push(meanwhile(stage, () => RECIPIENT[code]?.(stage)))
            yield* accept(rewards(3))
            const [bad = ""] = yield* accept([{ wallet: other.publicKey(), amountStroops: 5n }])
            yield* accept(rewards(3))
            yield* stepAs("one")
            yield* drain(stage)
            const row = (yield* issuances).find(({ id }) => id === bad)
            const isPaid = ends[policy] === "confirmed"
            expect([row?.status, row?.reason]).toEqual([ends[policy], isPaid ? null : reason] as never)
            expect((yield* tally).confirmed).toBe(isPaid ? 7 : 6)
            const told = yield* sql<{ reason: string; code: string | null }>`
            SELECT reason, detail->>'resultCode' AS code FROM issuance_events
            WHERE issuance_id = ${bad} AND from_status = 'submitted' ORDER BY id LIMIT 1`
            if (!isPaid) expect(told).toEqual([{ reason, code }])
            const balances = yield* sql`SELECT issuance_id FROM claimable_balances`
            expect(balances).toEqual(isPaid ? [{ issuance_id: bad }] : [])
            expect(yield* channelStates).toEqual(["open", "open"])
            expect(yield* control).toBeNull()
          }),
      )
    }
  }
})

/** What happens to the program between preflight and ledger, and how a person mends it. */
const PROGRAM: ReadonlyArray<readonly [string, (stage: TableStage) => void, (stage: TableStage) => void]> = [
  ["op_underfunded", (stage) => actAs(stage, trusting, [distribution], burnAll()), (stage) => refill(stage)],
  [
    "op_src_no_trust",
    (stage) =>
      actAs(
        stage,
        trusting,
        [distribution],
        burnAll(),
        Operation.changeTrust({ source: distribution.publicKey(), asset, limit: "0" }),
      ),
    (stage) =>
      actAs(
        stage,
        issuer,
        [distribution],
        Operation.changeTrust({ source: distribution.publicKey(), asset }),
        payment("100000"),
      ),
  ],
  [
    "op_src_not_authorized",
    (stage) => actAs(stage, trusting, [issuer], ...revoke(distribution.publicKey())),
    (stage) =>
      actAs(
        stage,
        issuer,
        [],
        Operation.setTrustLineFlags({
          trustor: distribution.publicKey(),
          asset,
          flags: { authorized: true },
        }),
      ),
  ],
]

const isDistribution = ({ accountId }: xdr.AccountEntry) =>
  StrKey.encodeEd25519PublicKey(accountId.ed25519.value) === distribution.publicKey()

const payment = (amount: string) =>
  Operation.payment({ destination: distribution.publicKey(), asset, amount })
const burnAll = () =>
  Operation.payment({
    source: distribution.publicKey(),
    destination: issuer.publicKey(),
    asset,
    amount: "100000",
  })
const refill = (stage: TableStage) => actAs(stage, issuer, [], payment("100000"))

describe("op_underfunded, op_src_no_trust, op_src_not_authorized: the program pauses, and nobody fails", () => {
  for (const [code, breakIt, mend] of PROGRAM) {
    tableScene(
      `${code}: paused with the reason and an alert; mended and resumed, everybody is paid`,
      (stage) =>
        Effect.gen(function* () {
          const { resume } = yield* IssuanceControl
          stage.wire.handlings.push(meanwhile(stage, () => breakIt(stage)))
          yield* accept(rewards(10))
          yield* stepAs("one")
          yield* rounds(stage, 1)
          expect(yield* control).toBe(`tx_failed: ${code}`)
          expect(stage.alerts.length).toBeGreaterThan(0)
          yield* accept(rewards(5))
          yield* rounds(stage, 3)
          expect(yield* tally).toEqual({ pending: 15 })
          expect((yield* envelopes).length).toBe(1)
          mend(stage)
          yield* stage.close
          yield* resume
          yield* drain(stage)
          expect(yield* tally).toEqual({ confirmed: 15 })
        }),
    )
  }

  tableScene("a recipient's fault in the same batch is still the recipient's", (stage) =>
    Effect.gen(function* () {
      const { resume } = yield* IssuanceControl
      stage.wire.handlings.push(
        meanwhile(stage, () => {
          RECIPIENT.op_no_trust?.(stage)
          // All but six stroops: the reward of 1, 2 and 3 pass, that of 4 is the program's fault.
          stage.submit(distribution, burn("99999.9999994"))
        }),
      )
      yield* accept(rewards(4))
      yield* accept([{ wallet: other.publicKey(), amountStroops: 1n }])
      yield* stepAs("one")
      yield* rounds(stage, 1)
      expect(yield* control).toBe("tx_failed: op_underfunded")
      expect(yield* tally).toEqual({ pending: 4, "failed no_trustline": 1 })
      refill(stage)
      yield* stage.close
      yield* resume
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 4, "failed no_trustline": 1 })
    }),
  )

  tableScene(
    "a signature of the treasury's that no longer counts blames nobody, not even after its expiry",
    (stage) =>
      Effect.gen(function* () {
        const { resume } = yield* IssuanceControl
        const setWeight = (masterWeight: number, signer: Keypair) =>
          actAs(
            stage,
            trusting,
            [signer],
            Operation.setOptions({
              source: distribution.publicKey(),
              masterWeight,
              signer: { ed25519PublicKey: other.publicKey(), weight: 1 },
            }),
          )
        stage.wire.handlings.push(meanwhile(stage, () => setWeight(0, distribution)))
        yield* accept(rewards(10))
        yield* stepAs("one")
        expect((yield* envelopes).map(({ last_answer }) => last_answer)).toEqual([
          "ERROR tx_failed 0:op_bad_auth",
        ])
        expect(yield* control).toContain("op_bad_auth")
        yield* rounds(stage, 14)
        expect(yield* tally).toEqual({ submitted: 10 })
        setWeight(1, other)
        yield* stage.close
        yield* resume
        yield* drain(stage)
        expect(yield* tally).toEqual({ confirmed: 10 })
      }),
    // So few that its last answer is still the refusal, and not that it comes too late.
    { envelopeLedgers: 4 },
  )
})

/** All XLM that the distribution account can give away: two base reserves, its line, and two for each channel. */
const spendableXlm = ({ network }: TableStage) => {
  const account = network
    .entriesOf("account")
    .map(({ entry }) => entry.data)
    .find((data) => data.type === "account" && isDistribution(data.account))
  if (account?.type !== "account") throw new Error("no distribution account")
  return formatAmount(account.account.balance - (2n + 1n + 2n * 2n) * 5_000_000n)
}

describe("claimable balances", () => {
  const asBalances = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE reward_issuances SET payout = 'claimable_balance'`
  })

  tableScene(
    "op_low_reserve: the distribution account's XLM went meanwhile; balances wait for it, payments go on",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`UPDATE campaigns SET on_missing_trustline = 'claimable_balance'`
        const leaveNothing = () => {
          actAs(
            stage,
            trusting,
            [distribution],
            Operation.payment({
              source: distribution.publicKey(),
              destination: trusting.publicKey(),
              asset: Asset.native(),
              amount: spendableXlm(stage),
            }),
          )
        }
        stage.wire.handlings.push(meanwhile(stage, leaveNothing))
        const wallet = wallets.without.publicKey()
        yield* accept([...rewards(2), { wallet, amountStroops: 10n }, { wallet, amountStroops: 11n }])
        yield* stepAs("one")
        yield* drain(stage)
        expect(yield* tally).toEqual({ confirmed: 2, "held no_trustline": 2 })
        expect(yield* control).toBeNull()
        expect(stage.alerts.join()).toContain("2 claimable balances wait for XLM")
        const codes = yield* sql`
          SELECT detail->>'resultCode' AS code FROM issuance_events WHERE to_status = 'held' ORDER BY id`
        expect(codes).toEqual([{ code: "op_low_reserve" }, { code: "op_low_reserve" }])
        const [xlm, amount] = [Asset.native(), "100"]
        actAs(
          stage,
          trusting,
          [],
          Operation.payment({ destination: distribution.publicKey(), asset: xlm, amount }),
        )
        yield* stage.close
        yield* TestClock.adjust("1 minute")
        yield* upkeepOnce
        yield* drain(stage)
        expect(yield* tally).toEqual({ confirmed: 4 })
      }),
  )

  for (const [code, breakIt, mend] of PROGRAM) {
    tableScene(`${code} of a balance pauses the program too`, (stage) =>
      Effect.gen(function* () {
        const { resume } = yield* IssuanceControl
        stage.wire.handlings.push(meanwhile(stage, () => breakIt(stage)))
        yield* accept(rewards(3))
        yield* asBalances
        yield* stepAs("one")
        yield* rounds(stage, 1)
        expect(yield* control).toBe(`tx_failed: ${code}`)
        expect(yield* tally).toEqual({ pending: 3 })
        mend(stage)
        yield* stage.close
        yield* resume
        yield* drain(stage)
        expect(yield* tally).toEqual({ confirmed: 3 })
      }),
    )
  }

  tableScene(
    "op_malformed, refused before inclusion: that reward fails, the others go on at the same sequence",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(3))
        // CAP-23: a claimant that stands twice makes the balance malformed, and ourselves we are always one.
        yield* accept([{ wallet: distribution.publicKey(), amountStroops: 5n }])
        yield* asBalances
        yield* stepAs("one")
        const [refused] = yield* envelopes
        expect(refused?.last_answer).toBe("ERROR tx_failed 3:op_malformed")
        yield* drain(stage)
        expect(yield* tally).toEqual({ confirmed: 3, "failed rejected_by_network": 1 })
        const [, paid] = yield* envelopes
        expect(paid?.sequence).toBe(refused?.sequence ?? 0n)
        expect(yield* control).toBeNull()
      }),
  )
})
