/** The stage for tests of what happens beside the rewards: the issuance worker's services, with settings as wanted. */
import { Account, Asset, Operation, TransactionBuilder } from "@stellar/stellar-sdk"
import { Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { channelKeypair } from "../../layers/signer/ChannelKeys.ts"
import * as SubmissionRpc from "../../layers/submission/SubmissionRpc.ts"
import * as Wiring from "../../layers/Test.ts"
import { ensureChannels } from "../../src/issuance/ChannelCreation.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { readTreasury } from "../../src/issuance/LedgerAccounts.ts"
import { advanceUpkeep, submitUpkeep } from "../../src/issuance/UpkeepSteps.ts"
import { formatAmount } from "../../src/kernel/Amount.ts"
import { distributionKey, Signer } from "../../src/ports/Signer.ts"
import { SorobanRpc } from "../../src/ports/SorobanRpc.ts"
import { type Meddle, setTheScene, type TestNetwork } from "../support/IssuanceScene.ts"
import { effect } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { issuer, makeTestNetwork, PASSPHRASE, settings, signer } from "../support/TestNetwork.ts"

export interface StageOptions {
  readonly meddle?: Meddle
  /** Undefined: chosen from the network's capacity. 4 where the key is absent. */
  readonly channels?: number | undefined
}

/** The services on a database of their own, or on the one that is there already (another worker's). */
export const servicesOn = (stage: TestNetwork, options: StageOptions) =>
  Wiring.issuance({ ...settings, channels: "channels" in options ? options.channels : 4 }).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        TestDatabase.layer,
        signer,
        Layer.fresh(SubmissionRpc.layer).pipe(
          Layer.provideMerge(
            Layer.effect(SorobanRpc, Effect.map(SorobanRpc, options.meddle ?? ((rpc) => rpc))),
          ),
          Layer.provide(Wiring.network(stage.network)),
        ),
      ),
    ),
  )

export type Services = Layer.Success<ReturnType<typeof servicesOn>>

/** Connections that are made while ledgers move the test's clock by seconds would time out by it. */
const openConnections = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* Effect.all(
    Array.from({ length: 6 }, () => sql`SELECT pg_sleep(0.05)`),
    { concurrency: "unbounded" },
  )
})

/** Accounts, trustlines and a treasury, and no channel yet. */
export const emptyStage = (
  name: string,
  body: (stage: TestNetwork) => Effect.Effect<unknown, unknown, Services>,
  options: StageOptions = {},
) =>
  effect(name, () => {
    const stage = makeTestNetwork()
    return Effect.all([openConnections, setTheScene(stage), body(stage)]).pipe(
      Effect.provide(servicesOn(stage, options), { local: true }),
    )
  })

/** Runs it to its end while ledgers close. */
export const whileLedgersClose = <A, E, R>(stage: TestNetwork, work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const running = yield* Effect.forkChild(work)
    while (running.pollUnsafe() === undefined) {
      yield* Effect.promise(() => Bun.sleep(5))
      yield* stage.close
    }
    return yield* Fiber.join(running)
  })

/** The same with its channels. */
export const stageWithChannels = (
  name: string,
  body: (stage: TestNetwork) => Effect.Effect<unknown, unknown, Services>,
  options: StageOptions = {},
) =>
  emptyStage(
    name,
    (stage) =>
      Effect.gen(function* () {
        yield* whileLedgersClose(stage, ensureChannels())
        // The channels may be there before their transaction's end is written down.
        while ((yield* advanceUpkeep()) === "open") yield* stage.close
        yield* body(stage)
      }),
    options,
  )

/** Plans and submits a top-up of channel 0 by one XLM (or what is given), on a new answer of the ledger. */
export const topUpByHand = (xlm = "1") => Effect.flatMap(planByHand(xlm), submitUpkeep)

export const planByHand = Effect.fnUntraced(function* (xlm = "1") {
  const signer = yield* Signer
  const address = yield* signer.channelAddress(0)
  const view = yield* readTreasury([address])
  const distribution = view.accounts.get(signer.distributionAddress)
  return {
    purpose: "top_up" as const,
    operations: [Operation.payment({ destination: address, asset: Asset.native(), amount: xlm })],
    subjects: ["0"],
    keys: [distributionKey],
    latestLedger: view.latestLedger,
    sequence: distribution?.sequence ?? 0n,
    availableStroops: distribution?.availableStroops ?? 0n,
  }
})

/** XLM that channel `id` has, as the ledger shows it. */
export const balanceOf = Effect.fnUntraced(function* (id: number) {
  const channels = yield* Channels
  const row = (yield* channels.list).find((channel) => channel.id === id)
  const view = yield* readTreasury([row?.address ?? ""])
  return formatAmount(view.accounts.get(row?.address ?? "")?.balanceStroops ?? 0n)
})

interface UpkeepRow {
  readonly hash: string
  readonly purpose: string
  readonly status: string
  readonly sequence: bigint
  readonly subjects: ReadonlyArray<string>
  readonly envelope_xdr: string
  readonly ledger_max: bigint
  readonly ledger: bigint | null
}

/** Every upkeep transaction of a purpose, oldest first. */
export const upkeepRows = Effect.fnUntraced(function* (purpose: string) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<UpkeepRow>`
    SELECT * FROM upkeep_transactions WHERE purpose = ${purpose} ORDER BY created_at, sequence`
})

/** Takes XLM from channel `id`, in a transaction of another account: the channel's sequence stays as it is. */
export const drainChannel = (stage: TestNetwork, id: number, amount: string) => {
  const channel = channelKeypair(new Uint8Array(32).fill(7), id)
  const source = new Account(issuer.publicKey(), stage.sequenceOf(issuer.publicKey()).toString())
  const transaction = new TransactionBuilder(source, {
    fee: "100",
    networkPassphrase: PASSPHRASE,
    timebounds: { minTime: 0, maxTime: 0 },
  })
    .addOperation(
      Operation.payment({
        source: channel.publicKey(),
        destination: issuer.publicKey(),
        asset: Asset.native(),
        amount,
      }),
    )
    .build()
  transaction.sign(issuer, channel)
  return stage.network.submit(transaction.toXDR())
}
