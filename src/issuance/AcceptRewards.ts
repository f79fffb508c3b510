/**
 * Accepting rewards together: a list of requests, of any owners, in one transaction with an answer for each.
 *
 * 1. The campaigns are locked, in the order of their ids (`Campaigns.openBook`).
 * 2. Keys that are known are read; their requests get the answer of a repetition: the same issuance, or 422.
 * 3. In the order of the list, the budget book promises what the campaigns and the wallets' caps still cover. Who is
 *    refused leaves nothing behind: no row, no key, no user.
 * 4. Users, rows, first events and the sums of the book are written.
 *
 * Invariant: one key, one reward, and no promise beyond a budget or a cap. Step 2 sees every key that was accepted for
 * the locked campaigns; a key that is being accepted for another campaign meets ours in the unique constraint
 * `reward_issuances_key`, which makes one wait for the other and then start again (`KeyTakenMeanwhile`). Budgets and
 * caps are kept by check constraints, whatever happens here.
 *
 * Deadlocks are excluded by order: campaigns by id, then users by name, then keys, then usage. A transaction that waits
 * for a key holds all the campaigns it will ever need (docs/adr/0006-accept-together.md).
 */
import { Cause, Context, Effect, Exit, Layer, Result, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import type {
  CampaignBudgetExhausted,
  CampaignNotActive,
  CampaignWalletCapReached,
} from "../campaign/CampaignErrors.ts"
import { CampaignNotFound } from "../campaign/CampaignErrors.ts"
import { Campaigns } from "../campaign/Campaigns.ts"
import { isDatabaseAway } from "../kernel/DatabaseAway.ts"
import { accountOf } from "../kernel/StellarAddress.ts"
import type { Acceptance, PromisedReward } from "./Acceptance.ts"
import { insertRewards, insertUsers, keyOf, knownKeys } from "./AcceptRewardsRows.ts"
import type { IssuanceStatus } from "./Issuance.ts"
import { IdempotencyKeyReused, ModeNotPaid, WalletNotPayable } from "./IssuanceErrors.ts"
import { PaidModes, requestHash, UnpayableWallets } from "./IssueRequest.ts"

/** `accepted` is false when the key was known: the answer to a repeated request. */
export interface Issued {
  readonly issuanceId: string
  readonly status: IssuanceStatus
  readonly accepted: boolean
}

export type IssueError =
  | CampaignNotFound
  | CampaignNotActive
  | CampaignBudgetExhausted
  | CampaignWalletCapReached
  | IdempotencyKeyReused
  | WalletNotPayable
  | ModeNotPaid

/** What became of one request of the list; a defect where the database failed it. */
export type Answer = Exit.Exit<Issued, IssueError>

/** Another transaction took one of our keys for another campaign after we had looked: everything starts again. */
class KeyTakenMeanwhile extends Schema.TaggedError<KeyTakenMeanwhile>()("KeyTakenMeanwhile", {}) {}

// Each repetition means that another transaction was accepted in between; more than a few is no coincidence.
const STARTS_MAX = 10

export class AcceptRewards extends Context.Service<
  AcceptRewards,
  {
    /**
     * Accepts what can be accepted, with an answer for each request, in their order. Repeating a list is safe. When the
     * transaction fails, the list is halved until the failure is alone with the request that caused it; where the
     * database itself is away, all of them fail with it.
     */
    readonly accept: (rewards: ReadonlyArray<Acceptance>) => Effect.Effect<ReadonlyArray<Answer>>
  }
>()("nova/issuance/AcceptRewards") {
  static readonly layer = Layer.effect(
    AcceptRewards,
    Effect.gen(function* () {
      const acceptOnce = yield* makeAcceptOnce

      const accept = (rewards: ReadonlyArray<Acceptance>): Effect.Effect<ReadonlyArray<Answer>> =>
        rewards.length === 0
          ? Effect.succeed([])
          : Effect.catchCause(acceptOnce(rewards), (cause) => {
              if (Cause.hasInterrupts(cause)) return Effect.failCause(cause)
              if (rewards.length === 1 || isDatabaseAway(Cause.squash(cause)))
                return Effect.succeed(rewards.map(() => Exit.failCause(cause)))
              const middle = Math.ceil(rewards.length / 2)
              return Effect.zipWith(
                accept(rewards.slice(0, middle)),
                accept(rewards.slice(middle)),
                (first, second) => [...first, ...second],
              )
            })

      return AcceptRewards.of({ accept })
    }),
  )
}

const notPayable = new WalletNotPayable({
  message: "This is an account that issues or pays rewards, not a customer's wallet.",
})

/** What is known of a key: its issuance, and which request it belongs to. */
interface Known {
  readonly id: string
  readonly status: IssuanceStatus
  readonly hash: Uint8Array
}

const answerOfKnown = (
  { hash, id, status }: Known,
  mine: Uint8Array,
): Result.Result<Issued, IdempotencyKeyReused> =>
  Buffer.compare(hash, mine) === 0
    ? Result.succeed({ issuanceId: id, status, accepted: false })
    : Result.fail(
        new IdempotencyKeyReused({
          message: "This idempotency key was used before, for a request with other fields.",
        }),
      )

const promiseRequestOf = ({ at, owner, request }: Acceptance) => ({
  owner,
  at,
  campaignId: request.campaignId,
  walletAccount: accountOf(request.walletAddress),
  amountStroops: request.amountStroops,
})

const makeAcceptOnce = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const campaigns = yield* Campaigns
  const random = yield* SecureRandom.SecureRandom
  const unpayable = yield* UnpayableWallets
  const paidModes = yield* PaidModes

  const notPaid = new ModeNotPaid({
    message: `This server pays the rewards of ${[...paidModes].join(" and ")} keys only.`,
  })

  const inTransaction = Effect.fnUntraced(function* (rewards: ReadonlyArray<Acceptance>) {
    const book = yield* campaigns.openBook(rewards.map(promiseRequestOf))
    const known = new Map<string, Known>(yield* knownKeys(sql, rewards))
    const promised: Array<PromisedReward> = []

    const decide = (reward: Acceptance): Result.Result<Issued, IssueError> => {
      const hash = requestHash(reward.request)
      const before = known.get(keyOf(reward))
      if (before !== undefined) return answerOfKnown(before, hash)
      const { owner, request } = reward
      if (book.find(owner, request.campaignId) === undefined)
        return Result.fail(new CampaignNotFound({ message: "There is no campaign with this id." }))
      if (!paidModes.has(owner.mode)) return Result.fail(notPaid)
      return Result.map(book.promise(promiseRequestOf(reward)), ({ capPeriodStart }) => {
        promised.push({ ...reward, hash, capPeriodStart })
        known.set(keyOf(reward), { id: reward.id, status: "pending", hash })
        return { issuanceId: reward.id, status: "pending", accepted: true }
      })
    }

    const answers = rewards.map((reward) =>
      unpayable.has(accountOf(reward.request.walletAddress)) ? Result.fail(notPayable) : decide(reward),
    )
    const [first] = promised
    if (first !== undefined) {
      const users = yield* insertUsers(sql, random, promised)
      const inserted = yield* insertRewards(sql, promised, users)
      if (inserted < promised.length) return yield* new KeyTakenMeanwhile()
      yield* book.write(first.at)
    }
    return answers.map(
      (answer): Answer =>
        Result.isSuccess(answer) ? Exit.succeed(answer.success) : Exit.fail(answer.failure),
    )
  })

  return Effect.fn("AcceptRewards.accept")(
    (rewards: ReadonlyArray<Acceptance>) => sql.withTransaction(inTransaction(rewards)),
    Effect.retry({ times: STARTS_MAX, while: (error) => error._tag === "KeyTakenMeanwhile" }),
    Effect.orDie,
  )
})
