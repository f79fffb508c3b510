/** Both rails of the port Submission, each over HTTP and in this process, on the embedded network. */
import { Account, Asset, type Keypair, Operation, TransactionBuilder, xdr } from "@stellar/stellar-sdk"
import { Effect, Layer, Option } from "effect"
import { FetchHttpClient } from "effect/http"
import * as HorizonHttp from "../../layers/horizon/HorizonHttp.ts"
import type { Fault } from "../../layers/localnet/faults/FaultPlan.ts"
import * as SorobanRpcHttp from "../../layers/soroban-rpc/SorobanRpcHttp.ts"
import * as SubmissionHorizon from "../../layers/submission/SubmissionHorizon.ts"
import * as SubmissionRpc from "../../layers/submission/SubmissionRpc.ts"
import type { Submission } from "../../src/ports/Submission.ts"
import { inProcess, overHttp } from "../localnet/faults/Scene.ts"
import { PASSPHRASE } from "../support/TestNetwork.ts"

export type RailName = "rpc" | "horizon"

const WIRES = { "over HTTP": overHttp, "in process": inProcess }

/** A rail to a network of its own with these faults; alice and bob have 10,000 XLM each. */
const open = (rail: RailName, wire: typeof overHttp | typeof inProcess) =>
  Effect.fnUntraced(function* (...faults: ReadonlyArray<Fault>) {
    const { faulty, layers, tick, truth } = yield* wire(...faults)
    const submission: Layer.Layer<Submission> =
      rail === "rpc"
        ? SubmissionRpc.layer.pipe(Layer.provide(layers))
        : SubmissionHorizon.layer.pipe(Layer.provide(layers))
    return { faulty, tick, truth, submission }
  })

export interface Rail {
  readonly name: string
  readonly rail: RailName
  readonly open: ReturnType<typeof open>
}

export const rails: ReadonlyArray<Rail> = (["rpc", "horizon"] as const).flatMap((rail) =>
  Object.entries(WIRES).map(([wireName, wire]) => ({
    name: `${rail} ${wireName}`,
    rail,
    open: open(rail, wire),
  })),
)

/** The rail over HTTP at these addresses, in order of preference. */
export const railAt = (rail: RailName, urls: ReadonlyArray<string>, timeoutMs = 5_000) =>
  (rail === "rpc"
    ? SubmissionRpc.layer.pipe(Layer.provide(SorobanRpcHttp.layerUrls(urls, timeoutMs)))
    : SubmissionHorizon.layer.pipe(Layer.provide(HorizonHttp.layerUrls(urls, timeoutMs)))
  ).pipe(Layer.provide(FetchHttpClient.layer))

/** A server that gives this answer to everything, and remembers what it was asked. */
export const answering = (answer: () => Response | Promise<Response>) =>
  Effect.gen(function* () {
    const bodies: Array<string> = []
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Bun.serve({
          hostname: "127.0.0.1",
          port: 0,
          fetch: async (request) => {
            bodies.push(await request.text())
            return answer()
          },
        }),
      ),
      (started) => Effect.promise(() => started.stop(true)),
    )
    return { url: `http://127.0.0.1:${server.port}`, bodies }
  })

export interface PaymentChange {
  readonly feeStroops?: number
  readonly amount?: string
  readonly maxTime?: number
  readonly signer?: Keypair
}

/** One native payment that consumes `sequence`, signed by its source unless `change` names another. */
export const paymentOf = (source: Keypair, sequence: bigint, to: Keypair, change: PaymentChange = {}) => {
  const { amount = "1.5", feeStroops = 100, maxTime = 0, signer = source } = change
  const transaction = new TransactionBuilder(new Account(source.publicKey(), String(sequence - 1n)), {
    fee: String(feeStroops),
    networkPassphrase: PASSPHRASE,
    timebounds: { minTime: 0, maxTime },
  })
    .addOperation(Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount }))
    .build()
  transaction.sign(signer)
  return { envelopeXdr: transaction.toXDR(), hash: Buffer.from(transaction.hash()).toString("hex") }
}

/** Signs what a builder left unsigned. */
export const signedBy = (signer: Keypair, envelopeXdr: string) => {
  const transaction = TransactionBuilder.fromXDR(envelopeXdr, PASSPHRASE)
  transaction.sign(signer)
  return { envelopeXdr: transaction.toXDR(), hash: Buffer.from(transaction.hash()).toString("hex") }
}

/** @throws Error where there is none */
export const decodeResult = (resultXdr: Option.Option<string>) =>
  xdr.TransactionResult.fromXDR(Option.getOrThrow(resultXdr), "base64")
