import { expect } from "bun:test"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import type { Acceptance } from "../../src/issuance/Acceptance.ts"
import { AcceptRewards, type Answer } from "../../src/issuance/AcceptRewards.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import { UnpayableWallets } from "../../src/issuance/IssueRequest.ts"
import { withLayer } from "../support/it.ts"
import { issueOrCode, layer, newCampaign, OTHER_WALLET, request } from "./IssuancesHarness.ts"

const { effect, live } = withLayer(AcceptRewards.layer.pipe(Layer.provideMerge(layer)))

/**
 * One account, and muxed addresses of it with the numbers 0 and 2^63: SEP-23's test cases,
 * https://github.com/stellar/stellar-protocol/blob/master/ecosystem/sep-0023.md#tests
 */
const ACCOUNT = "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"
const MUXED = [
  "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ",
  "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK",
] as const

let ids = 0

const acceptance = (owner: Acceptance["owner"], one: Acceptance["request"]): Acceptance => ({
  owner,
  request: one,
  priorityDefault: "normal",
  id: `iss_${String(++ids).padStart(26, "0")}`,
  at: new Date(Date.UTC(2999, 0)),
  traceContext: null,
})

const say = (answer: Answer): string => {
  if (Exit.isSuccess(answer)) return answer.value.accepted ? "accepted" : `known ${answer.value.status}`
  return Option.match(Cause.findErrorOption(answer.cause), {
    onNone: () => "defect",
    onSome: (error): string => error.code,
  })
}

const accept = Effect.fnUntraced(function* (list: ReadonlyArray<Acceptance>) {
  return (yield* (yield* AcceptRewards).accept(list)).map(say)
})

const booksOf = (campaignId: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ reserved: bigint; rows: bigint; events: bigint; users: bigint }>`
      SELECT c.reserved_stroops AS reserved,
        (SELECT count(*) FROM reward_issuances WHERE campaign_id = c.id) AS rows,
        (SELECT count(*) FROM issuance_events e JOIN reward_issuances i ON i.id = e.issuance_id
          WHERE i.campaign_id = c.id) AS events,
        (SELECT count(*) FROM users u WHERE u.merchant_id = c.merchant_id) AS users
      FROM campaigns c WHERE c.id = ${campaignId}`,
  ).pipe(Effect.map(([row]) => row))

effect("a list is decided in its order, as if each request had come by itself", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(100n)
    const stroops = (amountStroops: bigint, fields: Partial<Acceptance["request"]> = {}) =>
      acceptance(owner, request(campaignId, { amountStroops, userId: "u1", ...fields }))
    const first = stroops(60n)
    const refused = stroops(41n, { userId: "u2" })
    const again = { idempotencyKey: first.request.idempotencyKey }
    const list = [
      first,
      refused,
      stroops(60n, again),
      stroops(61n, again),
      // The refused one's key is free, for another body too.
      stroops(30n, { idempotencyKey: refused.request.idempotencyKey }),
      stroops(41n, { idempotencyKey: refused.request.idempotencyKey, userId: "u2" }),
      stroops(11n),
      stroops(10n, { campaignId: "cmp_00000000000000000000000000" }),
      stroops(10n, { userId: undefined }),
    ]
    expect(yield* accept(list)).toEqual([
      "accepted",
      "campaign.budget_exhausted",
      "known pending",
      "idempotency.key_reused",
      "accepted",
      "idempotency.key_reused",
      "campaign.budget_exhausted",
      "campaign.not_found",
      "accepted",
    ])
    expect(yield* booksOf(campaignId)).toEqual({ reserved: 100n, rows: 3n, events: 3n, users: 1n })
    expect((yield* accept(list)).filter((each) => each === "known pending").length).toBe(4)
  }),
)

effect("a list may be of several owners and campaigns, and nobody is charged for another", () =>
  Effect.gen(function* () {
    const mine = yield* newCampaign(10n)
    const theirs = yield* newCampaign(10n)
    const same = { idempotencyKey: "same-key", amountStroops: 4n }
    expect(
      yield* accept([
        acceptance(mine.owner, request(mine.campaignId, same)),
        acceptance(theirs.owner, request(theirs.campaignId, same)),
        acceptance(theirs.owner, request(mine.campaignId, { amountStroops: 1n })),
        acceptance({ ...mine.owner, mode: "live" }, request(mine.campaignId, { amountStroops: 1n })),
        acceptance(mine.owner, request(mine.campaignId, { amountStroops: 7n })),
      ]),
    ).toEqual([
      "accepted",
      "accepted",
      "campaign.not_found",
      "campaign.not_found",
      "campaign.budget_exhausted",
    ])
    expect((yield* booksOf(mine.campaignId))?.reserved).toBe(4n)
    expect((yield* booksOf(theirs.campaignId))?.reserved).toBe(4n)
    expect(yield* accept([])).toEqual([])
  }),
)

effect("caps count by account: every muxed address of it is the same wallet", () =>
  Effect.gen(function* () {
    const walletCap = { amountStroops: 10n, period: "day" } as const
    const { campaignId, owner } = yield* newCampaign(1000n, { walletCap })
    const to = (walletAddress: string, amountStroops: bigint) =>
      acceptance(owner, request(campaignId, { walletAddress, amountStroops }))
    expect(
      yield* accept([
        to(ACCOUNT, 4n),
        to(MUXED[0], 4n),
        to(MUXED[1], 3n),
        to(MUXED[1], 2n),
        to(OTHER_WALLET, 10n),
      ]),
    ).toEqual(["accepted", "accepted", "campaign.wallet_cap_reached", "accepted", "accepted"])
    expect(yield* accept([to(MUXED[0], 1n)])).toEqual(["campaign.wallet_cap_reached"])
    const sql = yield* SqlClient.SqlClient
    expect(
      yield* sql`
        SELECT wallet_account, period_start, cap_stroops, used_stroops FROM campaign_wallet_usage
        WHERE campaign_id = ${campaignId} ORDER BY wallet_account COLLATE "C"`,
    ).toEqual([
      {
        wallet_account: ACCOUNT,
        period_start: new Date(Date.UTC(2999, 0)),
        cap_stroops: 10n,
        used_stroops: 10n,
      },
      {
        wallet_account: OTHER_WALLET,
        period_start: new Date(Date.UTC(2999, 0)),
        cap_stroops: 10n,
        used_stroops: 10n,
      },
    ])
    const issuances = yield* Issuances
    const found = (walletAddress: string) =>
      Effect.map(issuances.list(owner, { walletAddress }, { limit: 10 }), ({ data }) =>
        data.map((each) => each.walletAddress),
      )
    expect(yield* found(ACCOUNT)).toEqual([ACCOUNT])
    expect(yield* found(MUXED[0])).toEqual([MUXED[0]])
  }),
)

effect("a muxed address of an account that pays rewards is no customer's either", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(1000n)
    const muxed = request(campaignId, { walletAddress: MUXED[0] })
    expect((yield* issueOrCode(owner, muxed)).code).toBe("issuance.wallet_not_payable")
  }).pipe(
    Effect.provide(
      Layer.fresh(Issuances.layer).pipe(Layer.provide(Layer.succeed(UnpayableWallets, new Set([ACCOUNT])))),
    ),
  ),
)

effect("the priority asked for is stored, and belongs to the request; the route's own does not", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(1_000_000_000n)
    const issuances = yield* Issuances
    const plain = request(campaignId)
    const { issuanceId } = yield* issuances.issue(owner, plain, { priority: "low" })
    expect((yield* issuances.get(owner, issuanceId)).issuance.priority).toBe(-1)
    expect(yield* issuances.issue(owner, plain, { priority: "high" })).toMatchObject({
      issuanceId,
      accepted: false,
    })
    expect((yield* issueOrCode(owner, { ...plain, priority: "high" })).code).toBe("idempotency.key_reused")
    const urgent = yield* issuances.issue(owner, request(campaignId, { priority: "high" }), {
      priority: "low",
    })
    expect((yield* issuances.get(owner, urgent.issuanceId)).issuance.priority).toBe(1)
  }),
)

live("a request that the database refuses fails by itself: the others of its list are accepted", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(1_000n)
    const sql = yield* SqlClient.SqlClient
    yield* sql`ALTER TABLE reward_issuances ADD CONSTRAINT poison CHECK (idempotency_key NOT LIKE 'poison%')`
    const key = (idempotencyKey: string) =>
      acceptance(owner, request(campaignId, { idempotencyKey, amountStroops: 1n }))
    const keys = ["a", "b", "poison-1", "c", "d", "e", "poison-2"]
    expect(yield* accept(keys.map(key))).toEqual(
      keys.map((each) => (each.startsWith("poison") ? "defect" : "accepted")),
    )
    expect(yield* booksOf(campaignId)).toMatchObject({ reserved: 5n, rows: 5n, events: 5n })
    // Together, too: whoever shares the group with it is accepted.
    const issuances = yield* Issuances
    const exits = yield* Effect.forEach(
      ["f", "poison-3", "g", "h"],
      (idempotencyKey) =>
        Effect.exit(issuances.issue(owner, request(campaignId, { idempotencyKey, amountStroops: 1n }))),
      { concurrency: "unbounded" },
    )
    expect(exits.map(Exit.isSuccess)).toEqual([true, false, true, true])
    yield* sql`ALTER TABLE reward_issuances DROP CONSTRAINT poison`
  }),
)

live("one key at once for two campaigns is one reward; the other one is told", () =>
  Effect.gen(function* () {
    for (let repetition = 0; repetition < 20; repetition++) {
      const { campaignId, owner } = yield* newCampaign(1_000n)
      const sql = yield* SqlClient.SqlClient
      const other = yield* (yield* Campaigns).create(owner, { name: "Other", budgetStroops: 1_000n })
      const same = { idempotencyKey: "k", amountStroops: 1n }
      const answers = yield* Effect.forEach(
        [campaignId, other.id],
        (id) => issueOrCode(owner, request(id, same)),
        { concurrency: "unbounded" },
      )
      expect(answers.map(({ code }) => code).sort()).toEqual(["idempotency.key_reused", "issued"])
      const [reserved] = yield* sql<{ sum: string }>`
        SELECT sum(reserved_stroops)::text AS sum FROM campaigns WHERE merchant_id = ${owner.merchantId}`
      expect(reserved?.sum).toBe("1")
    }
  }),
)

/** Holds the campaign's row as a slow settlement does, until `release`. */
const lockedCampaign = Effect.fnUntraced(function* (campaignId: string) {
  const sql = yield* SqlClient.SqlClient
  const locked = yield* Deferred.make<void>()
  const release = yield* Deferred.make<void>()
  const holding = yield* Effect.forkChild(
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`SELECT id FROM campaigns WHERE id = ${campaignId} FOR NO KEY UPDATE`
        yield* Deferred.succeed(locked, undefined)
        yield* Deferred.await(release)
      }),
    ),
  )
  yield* Deferred.await(locked)
  return Effect.andThen(Deferred.succeed(release, undefined), Fiber.join(holding))
})

const countUpdates = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE campaign_updates (campaign_id text)`
  yield* sql`
    CREATE FUNCTION count_update() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO campaign_updates VALUES (NEW.id); RETURN NEW; END $$`
  yield* sql`CREATE TRIGGER count_update AFTER UPDATE ON campaigns FOR EACH ROW EXECUTE FUNCTION count_update()`
  return (campaignId: string) =>
    Effect.map(
      sql<{
        count: bigint
      }>`SELECT count(*) AS count FROM campaign_updates WHERE campaign_id = ${campaignId}`,
      ([row]) => Number(row?.count),
    )
})

live(
  "what waits for a busy campaign goes in groups of at most a hundred, and other campaigns do not wait",
  () =>
    Effect.gen(function* () {
      const updatesOf = yield* countUpdates
      const busy = yield* newCampaign(1_000n)
      const quiet = yield* newCampaign(1_000n)
      const release = yield* lockedCampaign(busy.campaignId)
      const one = (of: typeof busy) => issueOrCode(of.owner, request(of.campaignId, { amountStroops: 1n }))
      const waiting = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 250 }, () => one(busy)),
          { concurrency: "unbounded" },
        ),
      )
      yield* Effect.yieldNow
      expect((yield* one(quiet)).code).toBe("issued")
      yield* release
      expect((yield* Fiber.join(waiting)).filter(({ accepted }) => accepted).length).toBe(250)
      // The first alone, because nobody else was there when it went; then 100, 100 and 49.
      expect(yield* updatesOf(busy.campaignId)).toBe(4)
      expect(yield* booksOf(busy.campaignId)).toMatchObject({ reserved: 250n, rows: 250n, events: 250n })
    }),
)

live("who hangs up while waiting is not accepted, and takes nothing from the others", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(1_000n)
    const release = yield* lockedCampaign(campaignId)
    const one = (idempotencyKey: string) =>
      Effect.forkChild(issueOrCode(owner, request(campaignId, { idempotencyKey, amountStroops: 1n })), {
        startImmediately: true,
      })
    const running = yield* one("running")
    yield* Effect.sleep(50)
    const [gone, staying] = [yield* one("gone"), yield* one("staying")]
    yield* Fiber.interrupt(gone)
    // Its transaction is on its way: whether it is accepted is known only to who asks again.
    yield* Fiber.interrupt(running)
    yield* release
    expect((yield* Fiber.join(staying)).code).toBe("issued")
    const issuances = yield* Issuances
    const { data } = yield* issuances.list(owner, {}, { limit: 10 })
    expect(data.map(({ idempotencyKey }) => idempotencyKey).sort()).toEqual(["running", "staying"])
  }),
)

live("known keys are found by their index, also before the table has any statistics", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(1_000_000n)
    const sql = yield* SqlClient.SqlClient
    const { accept: acceptAll } = yield* AcceptRewards
    const list = Array.from({ length: 3000 }, () =>
      acceptance(owner, request(campaignId, { amountStroops: 1n })),
    )
    // In a transaction of its own, so that the session that read also says how much.
    const rowsRead = (rewards: ReadonlyArray<Acceptance>) =>
      sql.withTransaction(Effect.andThen(acceptAll(rewards), sql`SELECT pg_stat_force_next_flush()`)).pipe(
        Effect.andThen(sql<{ read: bigint }>`
            SELECT (seq_tup_read + idx_tup_fetch)::bigint AS read FROM pg_stat_user_tables
            WHERE relname = 'reward_issuances'`),
        Effect.map(([row]) => Number(row?.read)),
      )
    const before = yield* rowsRead(list)
    const after = yield* rowsRead(list.slice(0, 100))
    // One row for each key; a plan that reads all of the merchant's rows for each reads 300,000.
    expect(after - before).toBeLessThan(1000)
  }),
)
