/**
 * A scene for the error table: what the network is told and what it answers can be changed call by call, accounts
 * can be made to do things behind the worker's back, and what is logged as an error is there to be read.
 */
import { expect } from "bun:test"
import { Account, type Keypair, Memo, TransactionBuilder, type xdr } from "@stellar/stellar-sdk"
import { Effect, Layer, Logger } from "effect"
import { SqlClient } from "effect/sql"
import { channelKeypair } from "../../layers/signer/ChannelKeys.ts"
import * as SorobanRpcLocalnet from "../../layers/soroban-rpc/SorobanRpcLocalnet.ts"
import * as SubmissionRpc from "../../layers/submission/SubmissionRpc.ts"
import * as Wiring from "../../layers/Test.ts"
import type { IssuanceSettings } from "../../src/issuance/IssuanceSettings.ts"
import { type RpcSubmission, SorobanRpc, type SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import { laws, setTheScene, type TestNetwork, tally } from "../support/IssuanceScene.ts"
import { effect } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { makeTestNetwork, PASSPHRASE, settings, signer } from "../support/TestNetwork.ts"
import { openChannels, stepAs } from "../support/WorkerScene.ts"

type Answer = Effect.Effect<RpcSubmission, SorobanRpcError>

/** What becomes of one sending; `deliver` hands it to the network and gives its real answer. */
export type Handling = (envelopeXdr: string, deliver: (envelopeXdr: string) => Answer) => Answer

/** The wire between the worker and the network. */
export interface Wire {
  /** For the next sendings, one each; then all go through. */
  readonly handlings: Array<Handling>
  /** Every envelope that was handed in, in order. */
  readonly sent: Array<string>
  /** Whether ledger entries are answered as they were at the last answer before: a node that has stopped following. */
  isStale: boolean
}

const makeWire = (): Wire => ({ handlings: [], sent: [], isStale: false })

const throughWire =
  (wire: Wire) =>
  (rpc: SorobanRpc["Service"]): SorobanRpc["Service"] => {
    const before = new Map<string, Effect.Success<ReturnType<typeof rpc.getLedgerEntries>>>()
    return {
      ...rpc,
      sendTransaction: (envelopeXdr) =>
        Effect.suspend(() => {
          wire.sent.push(envelopeXdr)
          const handling = wire.handlings.shift() ?? ((envelope, deliver) => deliver(envelope))
          return handling(envelopeXdr, rpc.sendTransaction)
        }),
      getLedgerEntries: (keys) =>
        Effect.suspend(() => {
          const old = before.get(keys.join())
          if (wire.isStale && old !== undefined) return Effect.succeed(old)
          return Effect.tap(rpc.getLedgerEntries(keys), (answer) =>
            Effect.sync(() => before.set(keys.join(), answer)),
          )
        }),
    }
  }

/** Words of every error that was logged: what an alert would be made of. */
export type Alerts = Array<string>

const collecting = (alerts: Alerts) =>
  Logger.layer([
    Logger.make(({ logLevel, message }) => {
      if (logLevel === "Error" || logLevel === "Fatal") alerts.push(String([message].flat()[0]))
    }),
  ])

export interface TableStage extends TestNetwork {
  readonly wire: Wire
  readonly alerts: Alerts
}

/** As in production: longer than the queue keeps a transaction, and than it bans a hash. */
export const ENVELOPE_LEDGERS = 12

const layerOf = (stage: TableStage, own: Partial<IssuanceSettings["Service"]>) => {
  const rpc = Layer.effect(SorobanRpc, Effect.map(SorobanRpc, throughWire(stage.wire))).pipe(
    Layer.provide(SorobanRpcLocalnet.layer(stage.network)),
  )
  return Wiring.issuance({ ...settings, envelopeLedgers: ENVELOPE_LEDGERS, channels: 2, ...own }).pipe(
    Layer.provideMerge(
      Layer.mergeAll(TestDatabase.layer, signer, Layer.provideMerge(Layer.fresh(SubmissionRpc.layer), rpc)),
    ),
  )
}

export type TableServices = Layer.Success<ReturnType<typeof layerOf>>

/** A test on two channels (unless `own` says otherwise), with the laws checked at its end. */
export const tableScene = (
  name: string,
  body: (stage: TableStage) => Effect.Effect<unknown, unknown, TableServices>,
  own: Partial<IssuanceSettings["Service"]> = {},
  lawsOf: (stage: TestNetwork) => Effect.Effect<void, unknown, TableServices> = laws,
) =>
  effect(name, () => {
    const stage: TableStage = { ...makeTestNetwork(), wire: makeWire(), alerts: [] }
    return Effect.gen(function* () {
      yield* setTheScene(stage)
      yield* openChannels(stage)
      stage.alerts.length = 0
      stage.wire.sent.length = 0
      yield* body(stage)
      yield* lawsOf(stage)
    }).pipe(Effect.provide(layerOf(stage, own), { local: true }), Effect.provide(collecting(stage.alerts)))
  })

/** The key of a channel, derived from the scene's seed. */
export const keyOfChannel = (index: number) => channelKeypair(new Uint8Array(32).fill(7), index)

/** Submits a transaction of `payer` whose operations may speak for the other `signers`; each of them signs it. */
export const actAs = (
  stage: TestNetwork,
  payer: Keypair,
  signers: ReadonlyArray<Keypair>,
  ...operations: ReadonlyArray<xdr.Operation>
) => {
  const account = new Account(payer.publicKey(), stage.sequenceOf(payer.publicKey()).toString())
  const builder = new TransactionBuilder(account, {
    // Above whatever fills the queue.
    fee: "1000000",
    networkPassphrase: PASSPHRASE,
    timebounds: { minTime: 0, maxTime: 0 },
    memo: Memo.none(),
  })
  for (const operation of operations) builder.addOperation(operation)
  const transaction = builder.build()
  transaction.sign(payer, ...signers)
  expect(stage.network.submit(transaction.toXDR()).status).toBe("PENDING")
}

/** Whose envelope it is: which channel takes a batch first is for the scheduler to say. */
export const channelOf = (envelopeXdr: string): Keypair => {
  const transaction = TransactionBuilder.fromXDR(envelopeXdr, PASSPHRASE)
  const source = "innerTransaction" in transaction ? transaction.innerTransaction.source : transaction.source
  const key = [0, 1, 2, 3].map(keyOfChannel).find((one) => one.publicKey() === source)
  if (key === undefined) throw new Error(`${source} is no channel`)
  return key
}

/** Something happens, in a ledger of its own, after preflight and signature and before the envelope arrives. */
export const meanwhile =
  (stage: TestNetwork, act: (channel: Keypair) => void): Handling =>
  (envelopeXdr, deliver) =>
    Effect.gen(function* () {
      act(channelOf(envelopeXdr))
      yield* stage.close
      return yield* deliver(envelopeXdr)
    })

/** Ledgers and steps in turn, so many of each. */
export const rounds = (stage: TestNetwork, times: number, owner = "one") =>
  Effect.gen(function* () {
    for (let round = 0; round < times; round++) {
      yield* stage.close
      yield* stepAs(owner)
    }
  })

/** Ledgers and steps until nothing waits any more; answers with how many ledgers it took. */
export const drain = (stage: TestNetwork, ledgersMax = 40, owner = "one") =>
  Effect.gen(function* () {
    for (let ledger = 0; ledger < ledgersMax; ledger++) {
      yield* stepAs(owner)
      const counts = yield* tally
      if (counts.pending === undefined && counts.submitted === undefined) return ledger
      yield* stage.close
    }
    throw new Error(`not drained: ${JSON.stringify(yield* tally)}`)
  })

export interface EnvelopeState {
  readonly hash: string
  readonly inner_hash: string | null
  readonly channel_id: number
  readonly sequence: bigint
  readonly status: string
  readonly sends: number
  readonly last_answer: string | null
  readonly fee_stroops_max: bigint
  readonly issuance_ids: ReadonlyArray<string>
}

/** Every envelope ever signed, oldest first; of one sequence the inner transaction before its bumps. */
export const envelopes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<EnvelopeState>`
    SELECT * FROM stellar_envelopes ORDER BY ledger_signed, channel_id, created_at, fee_stroops_max`
})

export const control = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ paused_reason: string | null }>`SELECT paused_reason FROM issuance_control`
  return row?.paused_reason ?? null
})

/** In the order of the alphabet. */
export const channelStates = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ status: string }>`SELECT status FROM channel_accounts`
  return rows.map(({ status }) => status).toSorted()
})

/** Ledgers that leave out what waits in the queue, for as long as the effect lasts. */
export const leftOut = <A, E, R>(stage: TestNetwork, during: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    stage.closeThrough({
      closeLedger: (at) => stage.network.closeLedger(at, { leaveOut: () => true, bring: [] }),
    })
    const result = yield* during
    stage.closeThrough(stage.network)
    return result
  })
