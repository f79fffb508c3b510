/** What the engine's tests share: a network in memory with a clock of its own, and ways to use it. */
import { type Asset, hash, Keypair, xdr } from "@stellar/stellar-sdk"
import { type LocalNetwork, openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import type { ClosedLedger, NetworkSettings, Submission } from "../../layers/localnet/Network.ts"

export const PASSPHRASE = "Test Network of the engine's tests"
export const XLM = 10_000_000n

export interface Codes {
  readonly transaction: string
  readonly operations: ReadonlyArray<string>
  readonly feeCharged: bigint
  /** The inner result's code when the transaction is a fee bump that got so far. */
  readonly inner?: string
}

const operationCode = (result: xdr.OperationResult): string =>
  result.type === "opInner" ? result.tr.value.type : result.type

export const codesOf = (result: xdr.TransactionResult): Codes => {
  const { feeCharged } = result
  const outcome = result.result
  switch (outcome.type) {
    case "txSuccess":
    case "txFailed":
      return { transaction: outcome.type, operations: outcome.results.map(operationCode), feeCharged }
    case "txFeeBumpInnerSuccess":
    case "txFeeBumpInnerFailed": {
      const inner = outcome.innerResultPair.result.result
      const operations =
        inner.type === "txSuccess" || inner.type === "txFailed" ? inner.results.map(operationCode) : []
      return { transaction: outcome.type, inner: inner.type, operations, feeCharged }
    }
    default:
      return { transaction: outcome.type, operations: [], feeCharged }
  }
}

export interface Building {
  /** Stroops for the whole transaction; 100 for each operation when absent. */
  readonly fee?: bigint
  readonly sequence?: bigint
  readonly signers?: ReadonlyArray<Keypair>
  readonly conditions?: xdr.Preconditions
  /** Further signatures, of whatever kind. */
  readonly signatures?: (hash: Uint8Array) => ReadonlyArray<xdr.DecoratedSignature>
}

export interface TestNetwork {
  readonly network: LocalNetwork
  readonly root: Keypair
  readonly account: (keys: Keypair) => xdr.AccountEntry
  readonly accountOrNone: (keys: Keypair) => xdr.AccountEntry | undefined
  readonly balance: (keys: Keypair) => bigint
  readonly line: (keys: Keypair, asset: Asset) => xdr.TrustLineEntry | undefined
  readonly build: (keys: Keypair, operations: ReadonlyArray<xdr.Operation>, how?: Building) => Built
  readonly submit: (envelope: { readonly envelopeXdr: string }) => Submission
  /** Submits and closes a ledger: the codes of the refusal, or of the application. */
  readonly run: (keys: Keypair, operations: ReadonlyArray<xdr.Operation>, how?: Building) => Codes
  readonly apply: (built: Built) => Codes
  readonly close: (seconds?: number) => ClosedLedger
  /** New accounts with this many stroops each, in as few ledgers as possible. */
  readonly fund: (count: number, balance?: bigint) => ReadonlyArray<Keypair>
  readonly fundOne: (balance?: bigint) => Keypair
}

export interface Built {
  readonly hash: string
  readonly envelopeXdr: string
}

export const amount = (stroops: bigint): string => {
  const whole = stroops / XLM
  return `${whole}.${(stroops % XLM).toString().padStart(7, "0")}`
}

export const createAccountOperation = (destination: Keypair, stroops: bigint): xdr.Operation =>
  new xdr.Operation({
    sourceAccount: null,
    body: xdr.OperationBody.createAccount(
      new xdr.CreateAccountOp({ destination: destination.xdrPublicKey(), startingBalance: stroops }),
    ),
  })

/** Key pairs that are the same in every run, so that orders which depend on keys are too. */
let made = 0
export const newKeys = (): Keypair => {
  const seed = Buffer.alloc(32)
  seed.writeUInt32BE(++made)
  return Keypair.fromRawEd25519Seed(seed)
}

export const accountKeyOf = (keys: Keypair): xdr.LedgerKey =>
  xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: keys.xdrPublicKey() }))

export const lineKeyOf = (keys: Keypair, asset: Asset): xdr.LedgerKey =>
  xdr.LedgerKey.trustline(
    new xdr.LedgerKeyTrustLine({ accountId: keys.xdrPublicKey(), asset: asset.toTrustLineXdrObject() }),
  )

const accountOf = (network: LocalNetwork, keys: Keypair): xdr.AccountEntry | undefined => {
  const data = network.entry(accountKeyOf(keys))?.entry.data
  return data?.type === "account" ? data.account : undefined
}

/** The account as of the latest ledger. */
export const accountIn = (network: LocalNetwork, keys: Keypair): xdr.AccountEntry => {
  const found = accountOf(network, keys)
  if (found === undefined) throw new Error(`no account ${keys.publicKey()}`)
  return found
}

/** The hash that signatures sign, by the definition: SHA-256 of the TransactionSignaturePayload. */
export const transactionHash = (tx: xdr.Transaction): Uint8Array =>
  hash(
    new xdr.TransactionSignaturePayload({
      networkId: hash(PASSPHRASE),
      taggedTransaction: xdr.TransactionSignaturePayloadTaggedTransaction.envelopeTypeTx(tx),
    }).toXdr(),
  )

/** Built from XDR alone: the SDK's builder refuses some of what is to be provoked. */
export const buildOn = (
  network: LocalNetwork,
  keys: Keypair,
  operations: ReadonlyArray<xdr.Operation>,
  how: Building = {},
): Built => {
  const tx = new xdr.Transaction({
    sourceAccount: xdr.MuxedAccount.keyTypeEd25519(keys.rawPublicKey()),
    fee: Number(how.fee ?? 100n * BigInt(operations.length)),
    seqNum: how.sequence ?? (accountOf(network, keys)?.seqNum ?? 0n) + 1n,
    cond: how.conditions ?? xdr.Preconditions.precondNone(),
    memo: xdr.Memo.memoNone(),
    operations: [...operations],
    ext: xdr.TransactionExt.v0(),
  })
  const payloadHash = transactionHash(tx)
  const signatures = (how.signers ?? [keys]).map((signer) => signer.signDecorated(payloadHash))
  const envelope = xdr.TransactionEnvelope.envelopeTypeTx(
    new xdr.TransactionV1Envelope({
      tx,
      signatures: [...signatures, ...(how.signatures?.(payloadHash) ?? [])],
    }),
  )
  return { hash: Buffer.from(payloadHash).toString("hex"), envelopeXdr: envelope.toXdr("base64") }
}

export const openTestNetwork = (
  settings: Partial<NetworkSettings> = {},
  ledgerFile?: string,
): TestNetwork => {
  let now = 1_000_000
  const network = openNetwork({
    settings: { passphrase: PASSPHRASE, closeIntervalMs: 5000, ...settings },
    now: () => now,
    friendbotHelpers: 0,
    ...(ledgerFile === undefined ? {} : { ledgerFile }),
  })
  now = Math.max(now, network.latest().closeTime)
  const root = Keypair.master(PASSPHRASE)
  const close = (seconds = 5): ClosedLedger => {
    now += seconds
    return network.closeLedger(now)
  }
  if (network.latest().sequence === 1) close()
  const account: TestNetwork["account"] = (keys) => accountIn(network, keys)
  const line: TestNetwork["line"] = (keys, asset) => {
    const data = network.entry(lineKeyOf(keys, asset))?.entry.data
    return data?.type === "trustline" ? data.trustLine : undefined
  }
  const build: TestNetwork["build"] = (keys, operations, how) => buildOn(network, keys, operations, how)
  const apply: TestNetwork["apply"] = (built) => {
    const submission = network.submit(built.envelopeXdr)
    if (submission.status === "ERROR") return codesOf(submission.result)
    if (submission.status !== "PENDING") throw new Error(`not taken: ${submission.status}`)
    close()
    const applied = network.transaction(submission.hash)
    if (applied === undefined) throw new Error("not applied")
    return codesOf(applied.result)
  }
  const run: TestNetwork["run"] = (keys, operations, how) => apply(build(keys, operations, how))
  const fund: TestNetwork["fund"] = (count, balance = 1000n * XLM) => {
    const keys = Array.from({ length: count }, newKeys)
    for (let at = 0; at < count; at += 100) {
      const created = run(
        root,
        keys.slice(at, at + 100).map((one) => createAccountOperation(one, balance)),
      )
      if (created.transaction !== "txSuccess") throw new Error(`not funded: ${created.transaction}`)
    }
    return keys
  }
  return {
    network,
    root,
    account,
    accountOrNone: (keys) => accountOf(network, keys),
    balance: (keys) => account(keys).balance,
    line,
    build,
    submit: ({ envelopeXdr }) => network.submit(envelopeXdr),
    run,
    apply,
    close,
    fund,
    fundOne: (balance) => {
      const [keys] = fund(1, balance)
      if (keys === undefined) throw new Error("nobody was funded")
      return keys
    },
  }
}
