/**
 * Requests that arrive together are accepted together. Each campaign has a lane: while one transaction of it runs,
 * whatever arrives waits in the lane, and the next transaction takes all of it (`GROUP_MAX` at most). Nobody waits for
 * company: a request that finds its lane empty goes at once. So a busy campaign costs one update of its row for each
 * group and not for each reward, and campaigns do not wait for each other.
 *
 * Invariant: every request that entered a lane is answered, with the answer of its own. A group runs apart from those
 * who wait for it, so a client that hangs up takes nothing from the others; its own request leaves the lane if no
 * transaction has taken it yet.
 */
import { type Cause, Deferred, Effect, Exit, FiberSet, Metric } from "effect"
import type { Acceptance } from "./Acceptance.ts"
import type { AcceptRewards, Issued, IssueError } from "./AcceptRewards.ts"

/** More would keep the campaign locked for longer than a settlement should wait. */
export const GROUP_MAX = 100

interface Waiting {
  readonly reward: Acceptance
  readonly answer: Deferred.Deferred<Issued, IssueError>
}

const groupSize = Metric.histogram("issuance.accept_group_size", {
  description: "Requests that were accepted or refused in one transaction",
  boundaries: [1, 2, 5, 10, 20, 50, 100, 1000],
})

export const laneOf = ({ owner, request }: Acceptance): string =>
  `${owner.merchantId} ${owner.mode} ${request.campaignId}`

/** Answers a single request by the group that it goes with. The groups end with the scope. */
export const gatherAccepts = Effect.fnUntraced(function* (accept: AcceptRewards["Service"]["accept"]) {
  const fork = yield* FiberSet.makeRuntime()
  const lanes = new Map<string, Array<Waiting>>()

  const answer = (group: ReadonlyArray<Waiting>, exits: ReadonlyArray<Exit.Exit<Issued, IssueError>>) =>
    Effect.sync(() => {
      for (const [place, waiting] of group.entries())
        Deferred.doneUnsafe(
          waiting.answer,
          exits[place] ?? Exit.die(new Error("a request of a group has no answer")),
        )
    })

  const run = (group: ReadonlyArray<Waiting>) =>
    Metric.update(groupSize, group.length).pipe(
      Effect.andThen(accept(group.map(({ reward }) => reward))),
      Effect.onExit((exit) =>
        answer(group, Exit.isSuccess(exit) ? exit.value : group.map(() => Exit.failCause(exit.cause))),
      ),
    )

  const drain = Effect.fnUntraced(function* (lane: string, waiting: Array<Waiting>) {
    while (waiting.length > 0) yield* run(waiting.splice(0, GROUP_MAX))
    // In one step with the look at its length: a request either finds the lane or opens it again.
    lanes.delete(lane)
  })

  const giveUp = (lane: string, waiting: Array<Waiting>) => (cause: Cause.Cause<never>) => {
    lanes.delete(lane)
    return answer(
      waiting,
      waiting.map(() => Exit.failCause(cause)),
    )
  }

  const enter = (reward: Acceptance, mine: Waiting): Array<Waiting> => {
    const lane = laneOf(reward)
    const open = lanes.get(lane)
    if (open !== undefined) {
      open.push(mine)
      return open
    }
    const waiting = [mine]
    lanes.set(lane, waiting)
    fork(
      Effect.onExit(drain(lane, waiting), (exit) =>
        Exit.isFailure(exit) ? giveUp(lane, waiting)(exit.cause) : Effect.void,
      ),
    )
    return waiting
  }

  return (reward: Acceptance): Effect.Effect<Issued, IssueError> =>
    Effect.suspend(() => {
      const mine: Waiting = { reward, answer: Deferred.makeUnsafe<Issued, IssueError>() }
      const lane = enter(reward, mine)
      return Effect.onInterrupt(Deferred.await(mine.answer), () =>
        Effect.sync(() => {
          const place = lane.indexOf(mine)
          if (place >= 0) lane.splice(place, 1)
        }),
      )
    })
})
