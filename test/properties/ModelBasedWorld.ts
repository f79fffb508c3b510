/**
 * The world of the model-based test: one merchant with three campaigns, five wallets, a wire that loses and delays,
 * ledgers that leave out, others who bid; and three workers and an API in it that fall and start again.
 */
import { Account, MuxedAccount, Operation } from "@stellar/stellar-sdk"
import { Clock, Effect, type Exit } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { makeTraffic } from "../../layers/localnet/faults/Traffic.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { IssuanceControl } from "../../src/issuance/IssuanceControl.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import type { IssueRequest } from "../../src/issuance/IssueRequest.ts"
import type { Lease } from "../../src/issuance/Lease.ts"
import type { Owner } from "../../src/merchant/Owner.ts"
import { SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import { upkeepOnce } from "../../src/programs/IssuanceUpkeep.ts"
import { step } from "../../src/programs/IssuanceWorker.ts"
import { actAs } from "../issuance/TableScene.ts"
import { CAMPAIGN, type Meddle, setTheScene, wallets } from "../support/IssuanceScene.ts"
import { asset, distribution, issuer, keypairOf, makeTestNetwork } from "../support/TestNetwork.ts"
import { LEASE_MS, openChannels } from "../support/WorkerScene.ts"
import { type Actor, type Fall, makeActor } from "./ModelBasedActor.ts"
import type { Deed, Request, Weather } from "./ModelBasedMoves.ts"

export const owner: Owner = { merchantId: CAMPAIGN.replace("cmp_", "mer_"), mode: "test" }

/** A funded account whose trustline comes and goes. */
const fickle = keypairOf("fickle")
export const fickleAddress = fickle.publicKey()

const muxed = new MuxedAccount(new Account(wallets.other.publicKey(), "0"), "7").accountId()
export const WALLETS: ReadonlyArray<string> = [
  wallets.trusting.publicKey(),
  wallets.other.publicKey(),
  muxed,
  wallets.without.publicKey(),
  fickleAddress,
]

/** What was answered: under each key the reward that was accepted, and what for. */
export interface Accepted {
  readonly id: string
  readonly fields: string
}

interface Sky {
  weather: Weather
  /** Envelopes that are still on their way. */
  readonly late: Array<string>
  /** Ledgers to come that leave out what the programs have sent. */
  leaveOut: number
  /** Hashes of what they have sent. */
  readonly sent: Set<string>
}

export interface World {
  readonly stage: ReturnType<typeof makeTestNetwork>
  readonly sky: Sky
  readonly campaigns: ReadonlyArray<string>
  readonly api: Actor
  readonly workers: ReadonlyArray<Actor>
  readonly leases: Map<number, ReadonlyArray<Lease>>
  readonly accepted: Map<string, Accepted>
  readonly traffic: ReturnType<typeof makeTraffic>
  /** Answers that contradict each other. */
  readonly contradictions: Array<string>
}

const timeout = new SorobanRpcError({ method: "sendTransaction", reason: "timeout", message: "lost" })

const throughWeather =
  (sky: World["sky"]): Meddle =>
  (rpc) => ({
    ...rpc,
    sendTransaction: (envelopeXdr) =>
      Effect.suspend(() => {
        const sent = Effect.tap(rpc.sendTransaction(envelopeXdr), ({ hash }) =>
          Effect.sync(() => sky.sent.add(hash)),
        )
        if (sky.weather === "none") return sent
        if (sky.weather === "request lost") return Effect.fail(timeout)
        if (sky.weather === "answer lost") return Effect.andThen(sent, Effect.fail(timeout))
        if (sky.weather === "late") sky.late.push(envelopeXdr)
        return Effect.fail(timeout)
      }),
  })

/** The merchant's campaigns: one fails, one holds within a cap for each wallet, one leaves balances. */
const makeCampaigns = Effect.gen(function* () {
  const campaigns = yield* Campaigns
  const made = [
    {
      budgetStroops: 2_000n,
      onMissingTrustline: "fail" as const,
      walletCap: { amountStroops: 300n, period: "campaign" as const },
    },
    {
      budgetStroops: 400n,
      onMissingTrustline: "hold" as const,
      walletCap: { amountStroops: 90n, period: "campaign" as const },
    },
    { budgetStroops: 600n, onMissingTrustline: "claimable_balance" as const },
  ]
  const startsAt = new Date(yield* Clock.currentTimeMillis)
  return yield* Effect.forEach(made, (fields) =>
    Effect.map(campaigns.create(owner, { name: "Model", startsAt, ...fields }), ({ id }) => id),
  )
})

/** To be run on the real database of the scene. */
export const makeWorld = Effect.gen(function* () {
  const real = yield* SqlClient.SqlClient
  const stage = makeTestNetwork()
  const sky: World["sky"] = { weather: "none", late: [], leaveOut: 0, sent: new Set() }
  const actor = () => makeActor(stage, real, throughWeather(sky))
  const api = actor()
  const workers = [actor(), actor(), actor()]
  yield* setTheScene(stage)
  stage.fund(fickle)
  const traffic = makeTraffic(stage.network)
  traffic.prepare()
  yield* stage.close
  const [first] = workers
  yield* Effect.flatten(first?.act(openChannels(stage)) ?? Effect.die("no worker"))
  const campaigns = yield* Effect.flatten(api.act(makeCampaigns))
  return {
    stage,
    sky,
    campaigns,
    api,
    workers,
    leases: new Map(),
    accepted: new Map(),
    traffic,
    contradictions: [],
  } satisfies World
})

const toRequest = (world: World, { amount, campaign, key, wallet }: Request): IssueRequest => ({
  idempotencyKey: `key-${key}`,
  campaignId: world.campaigns[campaign] ?? "",
  walletAddress: WALLETS[wallet] ?? "",
  amountStroops: BigInt(amount),
})

export const fieldsOf = (request: Pick<IssueRequest, "campaignId" | "walletAddress" | "amountStroops">) =>
  `${request.campaignId} ${request.walletAddress} ${request.amountStroops}`

/** One key means one reward: an acceptance under it says the same each time, and never of other fields. */
const remember = (world: World, request: IssueRequest, issuanceId: string) => {
  const fields = fieldsOf(request)
  const before = world.accepted.get(request.idempotencyKey)
  if (before === undefined) world.accepted.set(request.idempotencyKey, { id: issuanceId, fields })
  else if (before.id !== issuanceId || before.fields !== fields) {
    world.contradictions.push(
      `${request.idempotencyKey}: ${before.id} ${before.fields}, then ${issuanceId} ${fields}`,
    )
  }
}

const issueMany = (world: World, requests: ReadonlyArray<Request>, fall: Fall | undefined) => {
  const asked = requests.map((request) => toRequest(world, request))
  const deed = Effect.gen(function* () {
    const answers = yield* (yield* Issuances).issueAll(owner, asked)
    for (const [index, answer] of answers.entries()) {
      const request = asked[index]
      if (request !== undefined && answer._tag === "Success")
        remember(world, request, answer.value.issuanceId)
    }
  })
  return world.api.act(deed, fall)
}

const issue = (world: World, given: Request, fall: Fall | undefined) => {
  const request = toRequest(world, given)
  const deed = Effect.gen(function* () {
    const { issuanceId } = yield* (yield* Issuances).issue(owner, request)
    remember(world, request, issuanceId)
  })
  return world.api.act(deed, fall)
}

const takeStep = (world: World, worker: number) =>
  Effect.gen(function* () {
    const leases = yield* (yield* Channels).lease(`worker ${worker}`, LEASE_MS)
    world.leases.set(worker, leases)
    yield* step(leases)
  })

/** Does it, and answers with how it ended; whatever that was, the test goes on. */
export const perform = (world: World, deed: Deed): Effect.Effect<Exit.Exit<unknown, unknown>> => {
  const workerOf = (index: number) => world.workers[index] ?? world.api
  const known = [...world.accepted.values()]
  const idOf = (which: number) => known[which % Math.max(1, known.length)]?.id ?? "iss_none"
  switch (deed._tag) {
    case "Issue":
      return issue(world, deed.request, deed.fall)
    case "IssueMany":
      return issueMany(world, deed.requests, deed.fall)
    case "Cancel":
      return world.api.act(
        Effect.flatMap(Issuances, (issuances) => issuances.cancel(owner, idOf(deed.which))),
        deed.fall,
      )
    case "Retry":
      return world.api.act(
        Effect.flatMap(Issuances, (issuances) => issuances.retry(owner, idOf(deed.which))),
        deed.fall,
      )
    case "PauseCampaign":
      return changeCampaign(world, deed.campaign, deed.isPaused)
    case "Step":
      return workerOf(deed.worker).act(takeStep(world, deed.worker), deed.fall)
    case "Upkeep":
      return workerOf(deed.worker).act(upkeepOnce, deed.fall)
    case "Zombie":
      return workerOf(deed.worker).act(step(world.leases.get(deed.worker) ?? []), deed.fall)
  }
}

export const changeCampaign = (world: World, campaign: number, isPaused: boolean) =>
  world.api.act(
    Effect.flatMap(Campaigns, (campaigns) =>
      campaigns.change(owner, world.campaigns[campaign] ?? "", { status: isPaused ? "paused" : "active" }),
    ),
  )

export const resume = (world: World) =>
  world.api.act(Effect.flatMap(IssuanceControl, (control) => control.resume))

export const deliverLate = ({ sky, stage }: World) => {
  for (const envelope of sky.late.splice(0)) sky.sent.add(stage.network.submit(envelope).hash)
}

/** A ledger, which may leave out what the programs have sent. */
export const closeLedger = ({ sky, stage }: World) =>
  Effect.suspend(() => {
    const isOut = sky.leaveOut > 0
    sky.leaveOut = Math.max(0, sky.leaveOut - 1)
    stage.closeThrough({
      closeLedger: (at) =>
        stage.network.closeLedger(at, { leaveOut: (hash) => isOut && sky.sent.has(hash), bring: [] }),
    })
    return stage.close
  })

const balanceOf = ({ stage }: World, address: string) =>
  stage.network
    .trustlines(address)
    .flatMap(({ entry: { data } }) => (data.type === "trustline" ? [data.trustLine.balance] : []))[0]

const amountOf = (stroops: bigint) =>
  `${stroops / 10_000_000n}.${String(stroops % 10_000_000n).padStart(7, "0")}`

const pay = (from: typeof distribution, to: string, stroops: bigint) =>
  Operation.payment({ source: from.publicKey(), destination: to, asset, amount: amountOf(stroops) })

export const hasLine = (world: World, address: string) => balanceOf(world, address) !== undefined

/** The trustline comes, or goes with all that is on it; in a ledger of its own. */
export const setTrustline = (world: World, isThere: boolean) =>
  Effect.gen(function* () {
    const balance = balanceOf(world, fickleAddress)
    if (isThere === (balance !== undefined)) return
    const giveBack = balance === undefined || balance === 0n ? [] : [pay(fickle, issuer.publicKey(), balance)]
    const line = Operation.changeTrust({
      source: fickleAddress,
      asset,
      ...(isThere ? {} : { limit: "0" }),
    })
    actAs(world.stage, issuer, [fickle], ...giveBack, line)
    yield* closeLedger(world)
  })

/** Money comes from the issuer or goes back to it, behind the program's back. */
export const setTreasury = (world: World, stroops: number) =>
  Effect.gen(function* () {
    const missing = BigInt(stroops) - (balanceOf(world, distribution.publicKey()) ?? 0n)
    if (missing === 0n) return
    const operation =
      missing > 0n
        ? pay(issuer, distribution.publicKey(), missing)
        : pay(distribution, issuer.publicKey(), -missing)
    actAs(world.stage, issuer, missing > 0n ? [] : [distribution], operation)
    yield* closeLedger(world)
  })

export const sleep = TestClock.adjust(LEASE_MS + 1)
