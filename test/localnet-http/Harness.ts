import {
  Account,
  BASE_FEE,
  type FeeBumpTransaction,
  Horizon,
  Keypair,
  rpc,
  type Transaction,
  TransactionBuilder,
  type xdr,
} from "@stellar/stellar-sdk"
import { openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { type LocalnetServer, startLocalnetServer } from "../../layers/localnet/LocalnetServer.ts"
import type { Network } from "../../layers/localnet/Network.ts"

export const PASSPHRASE = "Localnet HTTP test ; 2026"

/** A network behind its HTTP server, with the official SDK's clients. Ledgers close when a test says so. */
export interface Harness {
  readonly network: Network
  readonly server: LocalnetServer
  readonly horizon: Horizon.Server
  readonly rpc: rpc.Server
  readonly close: () => void
  /** Closes ledgers until the promise has settled. */
  readonly settle: <A>(promise: Promise<A>) => Promise<A>
  /** A new account with 10,000 XLM from friendbot. */
  readonly fund: () => Promise<Keypair>
  readonly account: (keys: Keypair) => Promise<Account>
  /** Builds from the account's present sequence and signs; without time bounds unless `change` sets some. */
  readonly build: (
    keys: Keypair,
    operations: ReadonlyArray<xdr.Operation>,
    change?: Change,
  ) => Promise<Transaction>
  /** Submits over Horizon and waits for the ledger. */
  readonly apply: (
    keys: Keypair,
    operations: ReadonlyArray<xdr.Operation>,
    change?: Change,
  ) => Promise<Horizon.HorizonApi.SubmitTransactionResponse>
  readonly submit: (
    transaction: Transaction | FeeBumpTransaction,
  ) => Promise<Horizon.HorizonApi.SubmitTransactionResponse>
  readonly stop: () => Promise<void>
}

export interface Change {
  readonly fee?: string
  readonly sequenceOffset?: bigint
  readonly edit?: (builder: TransactionBuilder) => TransactionBuilder
  readonly signers?: ReadonlyArray<Keypair>
}

const nowSeconds = () => Math.floor(Date.now() / 1000)

/** The server's own clock stays out of the way. */
const AN_HOUR_MS = 3_600_000

export interface HarnessOptions {
  readonly closeIntervalMs?: number
  readonly submissionTimeoutMs?: number
  readonly streamsMax?: number
  readonly streamLastsMs?: number
  readonly retentionLedgers?: number
}

export const startHarness = async (options: HarnessOptions = {}): Promise<Harness> => {
  const { closeIntervalMs = AN_HOUR_MS, retentionLedgers, ...rest } = options
  const network = openTestNetwork(retentionLedgers)
  const server = await startLocalnetServer({
    network,
    hostname: "127.0.0.1",
    port: 0,
    closeIntervalMs,
    ...rest,
  })
  const horizon = new Horizon.Server(server.url, { allowHttp: true })
  const close = () => {
    network.closeLedger(nowSeconds())
  }
  const settle = async <A>(promise: Promise<A>): Promise<A> => {
    let isSettled = false
    const settled = () => {
      isSettled = true
    }
    promise.then(settled, settled)
    while (!isSettled) {
      await Bun.sleep(1)
      if (!isSettled && network.pendingCount() > 0) close()
    }
    return promise
  }
  const account = async (keys: Keypair) => {
    const { sequence } = await horizon.loadAccount(keys.publicKey())
    return new Account(keys.publicKey(), sequence)
  }
  const build: Harness["build"] = async (keys, operations, change = {}) => {
    const at = await account(keys)
    const source = new Account(
      keys.publicKey(),
      String(BigInt(at.sequenceNumber()) + (change.sequenceOffset ?? 0n)),
    )
    const builder = new TransactionBuilder(source, {
      fee: change.fee ?? BASE_FEE,
      networkPassphrase: PASSPHRASE,
    })
    for (const operation of operations) builder.addOperation(operation)
    const transaction = (change.edit ?? ((same) => same.setTimeout(0)))(builder).build()
    for (const signer of change.signers ?? [keys]) transaction.sign(signer)
    return transaction
  }
  const submit: Harness["submit"] = (transaction) =>
    settle(horizon.submitTransaction(transaction, { skipMemoRequiredCheck: true }))
  const fund = async () => {
    const keys = Keypair.random()
    await settle(horizon.friendbot(keys.publicKey()).call())
    return keys
  }
  return {
    network,
    server,
    horizon,
    rpc: new rpc.Server(`${server.url}/rpc`, { allowHttp: true }),
    close,
    settle,
    fund,
    account,
    build,
    submit,
    apply: async (keys, operations, change) => submit(await build(keys, operations, change)),
    stop: server.stop,
  }
}

const openTestNetwork = (retentionLedgers = 10_000): Network =>
  openNetwork({
    settings: {
      passphrase: PASSPHRASE,
      protocolVersion: 27,
      operationsPerLedgerMax: 1000,
      closeIntervalMs: 5000,
      baseFeeStroops: 100,
      baseReserveStroops: 5_000_000,
      retentionLedgers,
    },
    now: nowSeconds,
  })

/** The problem document of a request that the SDK saw fail. */
export const problemOf = async (promise: Promise<unknown>) => {
  try {
    await promise
  } catch (error) {
    const problem = findProblem(error)
    if (problem !== undefined) return problem
    throw error
  }
  throw new Error("the request was expected to fail")
}

export interface SeenProblem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly extras?: {
    readonly hash?: string
    readonly envelope_xdr?: string
    readonly result_xdr?: string
    readonly invalid_field?: string
    readonly reason?: string
    readonly result_codes?: {
      readonly transaction: string
      readonly inner_transaction?: string
      readonly operations?: ReadonlyArray<string>
    }
  }
}

/** The SDK keeps the body at `response.data`, or as `data` of the response that it wraps. */
const findProblem = (error: unknown): SeenProblem | undefined => {
  const response = (error as { response?: { data?: unknown; type?: unknown } } | undefined)?.response
  const candidate = response?.data ?? response
  const isProblem = typeof candidate === "object" && candidate !== null && "type" in candidate
  return isProblem ? (candidate as SeenProblem) : undefined
}

/** `extras.result_codes` of a submission that Horizon refused. */
export const codesOf = async (promise: Promise<unknown>) => {
  const problem = await problemOf(promise)
  if (problem.status !== 400) throw new Error(`expected 400, not ${problem.status}: ${problem.title}`)
  return problem.extras?.result_codes
}
