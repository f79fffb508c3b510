/** The official SDK as the scenario uses it: it knows a target's addresses, and learns the rest as anybody would. */
import {
  Account,
  Asset,
  type FeeBumpTransaction,
  Horizon,
  Keypair,
  Operation,
  rpc,
  type Transaction,
  TransactionBuilder,
  type xdr,
} from "@stellar/stellar-sdk"
import type { Target } from "./Target.ts"

/** Ten times the least, so that a busy testnet takes it; what was charged is read, not assumed. */
export const BID_STROOPS = 1000
const WAIT_MS_MAX = 120_000
const POLL_MS = 250

export interface Change {
  /** Stroops for each operation. */
  readonly bid?: number
  /** Added to the account's next sequence number. */
  readonly sequenceOffset?: bigint
  readonly signers?: ReadonlyArray<Keypair>
  readonly edit?: (builder: TransactionBuilder) => TransactionBuilder
  readonly passphrase?: string
}

export interface ResultCodes {
  readonly transaction: string
  readonly inner_transaction?: string
  readonly operations?: ReadonlyArray<string>
}

export interface Applied {
  readonly hash: string
  readonly ledger: number
  readonly feeCharged: bigint
}

type Operations = ReadonlyArray<xdr.Operation>

export interface Client {
  readonly target: Target
  readonly horizon: Horizon.Server
  readonly rpc: rpc.Server
  /** A new account with friendbot's lumens. */
  readonly bank: () => Promise<Keypair>
  /** New accounts out of a bank's lumens, in one transaction. */
  readonly people: (bank: Keypair, count: number, lumens?: string) => Promise<ReadonlyArray<Keypair>>
  readonly account: (keys: Keypair) => Promise<Horizon.AccountResponse>
  /** Decimal, as Horizon shows it; undefined without a trustline. */
  readonly balance: (keys: Keypair, asset?: Asset) => Promise<string | undefined>
  readonly build: (keys: Keypair, operations: Operations, change?: Change) => Promise<Transaction>
  readonly apply: (keys: Keypair, operations: Operations, change?: Change) => Promise<Applied>
  /** Submits what must fail, and answers with Horizon's `extras.result_codes`. */
  readonly refusal: (keys: Keypair, operations: Operations, change?: Change) => Promise<ResultCodes>
  readonly submit: (transaction: Transaction | FeeBumpTransaction) => Promise<Applied>
  readonly refused: (transaction: Transaction | FeeBumpTransaction) => Promise<ResultCodes>
  /** The last closed ledger's sequence and its close time in Unix seconds. */
  readonly tip: () => Promise<{ readonly sequence: number; readonly closeTime: number }>
  /** Asks until the answer is there; for servers that ingest a moment later. */
  readonly eventually: <A>(what: string, ask: () => Promise<A | undefined>) => Promise<A>
}

interface Problem {
  readonly status: number
  readonly title: string
  readonly extras?: { readonly hash?: string; readonly result_codes?: ResultCodes }
}

/** The SDK keeps the body at `response.data`, or as `data` of the response that it wraps. */
const problemIn = (error: unknown): Problem | undefined => {
  const response = (error as { response?: { data?: unknown } } | undefined)?.response
  const body = response?.data ?? response
  return typeof body === "object" && body !== null && "status" in body ? (body as Problem) : undefined
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const isAsset =
  (asset: Asset) =>
  (line: Horizon.HorizonApi.BalanceLine): boolean =>
    asset.isNative()
      ? line.asset_type === "native"
      : "asset_code" in line && line.asset_code === asset.getCode() && line.asset_issuer === asset.getIssuer()

const eventually: Client["eventually"] = async (what, ask) => {
  const deadlineMs = Date.now() + WAIT_MS_MAX
  while (Date.now() < deadlineMs) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await sleep(POLL_MS)
  }
  throw new Error(`not in ${WAIT_MS_MAX / 1000} s: ${what}`)
}

const askFriendbot = async (target: Target): Promise<Keypair> => {
  const keys = Keypair.random()
  const response = await fetch(`${target.friendbotUrl}?addr=${keys.publicKey()}`)
  if (!response.ok) throw new Error(`friendbot answered ${response.status}: ${await response.text()}`)
  return keys
}

const makeBuild =
  (target: Target, account: Client["account"]): Client["build"] =>
  async (keys, operations, change = {}) => {
    const { sequence } = await account(keys)
    const at = BigInt(sequence) + (change.sequenceOffset ?? 0n)
    const builder = new TransactionBuilder(new Account(keys.publicKey(), at.toString()), {
      fee: String(change.bid ?? BID_STROOPS),
      networkPassphrase: change.passphrase ?? target.passphrase,
    })
    for (const operation of operations) builder.addOperation(operation)
    const edited = change.edit === undefined ? builder.setTimeout(0) : change.edit(builder)
    const transaction = edited.build()
    transaction.sign(...(change.signers ?? [keys]))
    return transaction
  }

/** A 504 is no verdict: the transaction is looked up until it is there. */
const makeSubmit = (horizon: Horizon.Server) => {
  const shown = async (hash: string) => {
    const found = await horizon.transactions().transaction(hash).call()
    return { hash, ledger: found.ledger_attr, feeCharged: BigInt(found.fee_charged) }
  }
  const submit: Client["submit"] = async (transaction) => {
    try {
      const { hash } = await horizon.submitTransaction(transaction, { skipMemoRequiredCheck: true })
      return await shown(hash)
    } catch (error) {
      if (problemIn(error)?.status !== 504) throw error
      const hash = hex(transaction.hash())
      return eventually(`transaction ${hash}`, () => shown(hash).catch(() => undefined))
    }
  }
  const refused: Client["refused"] = async (transaction) => {
    try {
      await horizon.submitTransaction(transaction, { skipMemoRequiredCheck: true })
    } catch (error) {
      const codes = problemIn(error)?.extras?.result_codes
      if (codes !== undefined) return codes
      throw error
    }
    throw new Error("it was applied, although it had to be refused")
  }
  return { submit, refused }
}

export const makeClient = (target: Target): Client => {
  const allowHttp = target.horizonUrl.startsWith("http://")
  const horizon = new Horizon.Server(target.horizonUrl, { allowHttp })
  const account: Client["account"] = (keys) => horizon.loadAccount(keys.publicKey())
  const build = makeBuild(target, account)
  const { refused, submit } = makeSubmit(horizon)
  const apply: Client["apply"] = async (keys, operations, change) =>
    submit(await build(keys, operations, change))
  return {
    target,
    horizon,
    rpc: new rpc.Server(target.rpcUrl, { allowHttp: target.rpcUrl.startsWith("http://") }),
    account,
    build,
    submit,
    refused,
    apply,
    eventually,
    refusal: async (keys, operations, change) => refused(await build(keys, operations, change)),
    bank: () => askFriendbot(target),
    people: async (bank, count, lumens = "100") => {
      const keys = Array.from({ length: count }, () => Keypair.random())
      await apply(
        bank,
        keys.map((one) => Operation.createAccount({ destination: one.publicKey(), startingBalance: lumens })),
      )
      return keys
    },
    balance: async (keys, asset = Asset.native()) =>
      (await account(keys)).balances.find(isAsset(asset))?.balance,
    tip: async () => {
      const { records } = await horizon.ledgers().order("desc").limit(1).call()
      const [latest] = records
      if (latest === undefined) throw new Error("the network has no ledger")
      return { sequence: latest.sequence, closeTime: Math.floor(Date.parse(latest.closed_at) / 1000) }
    },
  }
}
