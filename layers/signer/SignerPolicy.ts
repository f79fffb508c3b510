/**
 * Decides whether a transaction is one that Nova makes. Pure: the decoded transaction, the keys that are asked for,
 * and the time go in; a permission with what it gives away, or the broken rule, comes out.
 *
 * Invariant: what is not listed as allowed is refused. A signer that checked for known evil instead would sign the
 * first operation that a new protocol version brings.
 *
 * Every rule is one line of `RULES`, in the order in which they are asked; test/conformance/Signer.test.ts breaks
 * each of them on every layer.
 */
import { Asset, encodeMuxedAccountToAddress, Keypair } from "@stellar/stellar-sdk"
import type { DecodedEnvelope } from "./DecodeEnvelope.ts"
import { type OperationBreach, type OperationFacts, readOperation } from "./OperationRules.ts"

export interface SignerPolicy {
  readonly networkPassphrase: string
  readonly assetCode: string
  /** G... */
  readonly assetIssuer: string
  /** Stroops of the asset that one transaction may give away. */
  readonly transactionCapStroops: bigint
  /** Stroops of XLM for each operation; a fee bump counts as one more (CAP-15). */
  readonly feeStroopsMax: bigint
}

/** The accounts whose keys this signer holds. */
export interface SignerAccounts {
  readonly distributionAddress: string
  readonly isChannel: (address: string) => boolean
}

/**
 * Stellar recommends bounds of a few minutes; the programs use four. The rest is for clocks that differ: a fee bump is
 * signed over a transaction that another machine has signed.
 */
const TIME_AHEAD_SECONDS = 900n

/** XLM that one transaction may give to channels. */
const LUMENS_STROOPS_MAX = 1000_0000000n

interface Subject extends DecodedEnvelope {
  readonly policy: SignerPolicy
  readonly accounts: SignerAccounts
  readonly nowSeconds: bigint
  /** Addresses of the keys that are to sign. */
  readonly asked: ReadonlySet<string>
  readonly source: string
  readonly operations: ReadonlyArray<{
    readonly source: string
    readonly type: string
    readonly facts: OperationFacts | undefined
  }>
}

/** What is wrong, in words; undefined when nothing is. */
type Check = (subject: Subject) => string | undefined

const isReward = ({ operations }: Subject) => operations.some(({ facts }) => facts?.purpose === "reward")

const sum = (subject: Subject, of: (facts: OperationFacts) => bigint) =>
  subject.operations.reduce((total, { facts }) => total + (facts === undefined ? 0n : of(facts)), 0n)

const isSame = (one: ReadonlySet<string>, other: ReadonlySet<string>) =>
  one.size === other.size && one.isSubsetOf(other)

/** The accounts that have to sign the transaction itself. */
const neededBy = ({ operations, source }: Subject) =>
  new Set([source, ...operations.map((one) => one.source)])

const checkOperationType: Check = ({ operations }) => {
  if (operations.length === 0) return "it has no operations"
  const foreign = operations.find(({ facts }) => facts === undefined)
  return foreign === undefined ? undefined : `${foreign.type} is never signed for`
}

const checkSource: Check = (subject) => {
  const { accounts, operations, source } = subject
  if (isReward(subject) && operations.some(({ facts }) => facts?.purpose === "upkeep"))
    return "it mixes rewards and upkeep"
  if (isReward(subject))
    return accounts.isChannel(source) ? undefined : `rewards leave from a channel's sequence, not ${source}'s`
  return source === accounts.distributionAddress
    ? undefined
    : `upkeep leaves from the distribution account's sequence, not ${source}'s`
}

const checkOperationSource: Check = ({ accounts, operations }) => {
  const foreign = operations.find(({ facts, source }) =>
    facts?.source === "channel" ? !accounts.isChannel(source) : source !== accounts.distributionAddress,
  )
  return foreign && `${foreign.type} has the source ${foreign.source}`
}

const checkFeeSource: Check = ({ accounts, feeBump }) =>
  feeBump === undefined || accounts.isChannel(feeBump.feeSource)
    ? undefined
    : `a fee bump is paid by a channel, not by ${feeBump.feeSource}`

const checkPreconditions: Check = ({ transaction: { cond } }) =>
  cond.type === "precondV2" &&
  (cond.v2.minSeqNum !== null ||
    cond.v2.minSeqAge !== 0n ||
    cond.v2.minSeqLedgerGap !== 0 ||
    cond.v2.extraSigners.length > 0)
    ? "it has conditions beside its bounds"
    : undefined

const checkTimeBound: Check = ({ nowSeconds, transaction: { cond } }) => {
  const bounds = cond.type === "precondV2" ? cond.v2.timeBounds : undefined
  const found = cond.type === "precondTime" ? cond.timeBounds : bounds
  if (!found || found.maxTime === 0n) return "it has no time bound"
  return found.maxTime > nowSeconds + TIME_AHEAD_SECONDS
    ? `its time bound is more than ${TIME_AHEAD_SECONDS} s ahead`
    : undefined
}

const checkLedgerBound: Check = ({ transaction: { cond } }) =>
  cond.type === "precondV2" && cond.v2.ledgerBounds !== null && cond.v2.ledgerBounds.maxLedger > 0
    ? undefined
    : "it has no ledger bound"

const checkFee: Check = ({ feeBump, policy, transaction }) => {
  const count = BigInt(transaction.operations.length)
  if (BigInt(transaction.fee) > policy.feeStroopsMax * count)
    return `its fee is above ${policy.feeStroopsMax} stroops for each operation`
  return feeBump !== undefined && feeBump.feeStroops > policy.feeStroopsMax * (count + 1n)
    ? `the fee bump's fee is above ${policy.feeStroopsMax} stroops for each operation and itself`
    : undefined
}

/** `nova recover` finds by it what a transaction paid (docs/adr/0003-at-most-once.md, rule 5). */
const checkMemo: Check = (subject) =>
  isReward(subject) && subject.transaction.memo.type !== "memoHash"
    ? "rewards carry the hash of their batch as memo"
    : undefined

const checkTransactionCap: Check = (subject) => {
  const total = sum(subject, (facts) => facts.assetStroops)
  return total > subject.policy.transactionCapStroops
    ? `it gives away ${total} stroops, above the cap of ${subject.policy.transactionCapStroops}`
    : undefined
}

const checkLumens: Check = (subject) => {
  const total = sum(subject, (facts) => facts.lumenStroops)
  return total > LUMENS_STROOPS_MAX ? `it moves ${total} stroops of XLM` : undefined
}

const checkKeys: Check = (subject) => {
  const { asked, feeBump } = subject
  const needed = feeBump === undefined ? neededBy(subject) : new Set([feeBump.feeSource])
  return isSame(asked, needed) ? undefined : `it needs the keys of ${[...needed].join(", ")}, and no others`
}

/** Whose valid signature this is, among the accounts that must sign. */
const isSignedBy = ({ signatures, transactionHash }: DecodedEnvelope, address: string) => {
  const keypair = Keypair.fromPublicKey(address)
  const hint = Buffer.from(keypair.signatureHint())
  return signatures.some(
    (one) => hint.equals(one.hint.toBytes()) && keypair.verify(transactionHash, one.signature.toBytes()),
  )
}

const checkSignatures: Check = (subject) => {
  const { feeBump, signatures } = subject
  if (feeBump === undefined) return signatures.length === 0 ? undefined : "it is signed already"
  if (feeBump.signatures.length > 0) return "the fee bump is signed already"
  const needed = [...neededBy(subject)]
  return signatures.length === needed.length && needed.every((address) => isSignedBy(subject, address))
    ? undefined
    : "the inner transaction is not signed by just those that it needs"
}

/** The first operation that breaks this rule, in words. */
const byOperation =
  (rule: OperationBreach["rule"]): Check =>
  ({ operations }) =>
    operations.find(({ facts }) => facts?.breach?.rule === rule)?.facts?.breach?.message

const either =
  (...checks: ReadonlyArray<Check>): Check =>
  (subject) => {
    for (const check of checks) {
      const found = check(subject)
      if (found !== undefined) return found
    }
    return undefined
  }

const RULES = {
  operation_type: checkOperationType,
  asset: byOperation("asset"),
  amount: byOperation("amount"),
  claimants: byOperation("claimants"),
  destination: byOperation("destination"),
  transaction_source: checkSource,
  operation_source: checkOperationSource,
  fee_source: checkFeeSource,
  preconditions: checkPreconditions,
  time_bound: checkTimeBound,
  ledger_bound: checkLedgerBound,
  fee: checkFee,
  memo: checkMemo,
  transaction_cap: checkTransactionCap,
  lumens: either(byOperation("lumens"), checkLumens),
  keys: checkKeys,
  signatures: checkSignatures,
} satisfies Record<string, Check>

/** `envelope`: it could not be decoded, so no other rule was asked. */
export type SignerRule = keyof typeof RULES | "envelope"

export const SIGNER_RULES = ["envelope", ...Object.keys(RULES)] as ReadonlyArray<SignerRule>

export type SignerDecision =
  /** `assetStroops` leave the distribution account by this signature; none by that of a fee bump. */
  | { readonly _tag: "Allowed"; readonly assetStroops: bigint }
  | { readonly _tag: "Refused"; readonly rule: SignerRule; readonly message: string }

/**
 * @param asked addresses of the keys that are to sign
 * @param nowSeconds Unix seconds
 */
export const decide = (
  decoded: DecodedEnvelope,
  asked: ReadonlySet<string>,
  policy: SignerPolicy,
  accounts: SignerAccounts,
  nowSeconds: bigint,
): SignerDecision => {
  const source = encodeMuxedAccountToAddress(decoded.transaction.sourceAccount)
  const context = { ...accounts, asset: new Asset(policy.assetCode, policy.assetIssuer), nowSeconds }
  const operations = decoded.transaction.operations.map(({ body, sourceAccount }) => ({
    source: sourceAccount === null ? source : encodeMuxedAccountToAddress(sourceAccount),
    type: body.type,
    facts: readOperation(body, context),
  }))
  const subject: Subject = { ...decoded, policy, accounts, nowSeconds, asked, source, operations }
  for (const [rule, check] of Object.entries(RULES)) {
    const message = check(subject)
    if (message !== undefined) return { _tag: "Refused", rule: rule as SignerRule, message }
  }
  const assetStroops = decoded.feeBump === undefined ? sum(subject, (facts) => facts.assetStroops) : 0n
  return { _tag: "Allowed", assetStroops }
}
