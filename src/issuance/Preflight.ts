/**
 * Which payments the ledger would refuse now for their recipient's sake, before anything is signed for them: one bad
 * recipient fails a whole batch and costs it a ledger.
 *
 * What it lets through and the ledger refuses all the same is named by the batch's result, and it errs on that side;
 * but a wallet that wants a memo is refused by nobody else, so nothing is let through unseen. How it would break: a refusal out of the cache, or from amounts that may have
 * been paid already, would hold back a reward that can be paid; so refusals always come from an answer of this call,
 * and from one that is not older than the newest ledger known: a node that lags does not know yet who made a trustline.
 *
 * Sources: stellar-core src/transactions/TransactionUtils.cpp (addBalance, getMaxAmountReceive: buying liabilities
 * take room), TrustLineFlags in Stellar-ledger-entries.x, SEP-29 (config.memo_required)
 */
import { Asset, type xdr } from "@stellar/stellar-sdk"
import { Clock, Context, Effect, Layer } from "effect"
import { SorobanRpc, type SorobanRpcError } from "../ports/SorobanRpc.ts"
import type { IssuanceReason } from "./Issuance.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { accountKey, dataKey, KEYS_MAX, readLedgerEntries, trustlineKey } from "./LedgerEntries.ts"

export interface PreflightPayment {
  readonly issuanceId: string
  /** G... or M... */
  readonly walletAddress: string
  /** The account behind it, G... */
  readonly walletAccount: string
  readonly amountStroops: bigint
}

const MEMO_REQUIRED = "config.memo_required"

/** AUTHORIZED_FLAG: 2, AUTHORIZED_TO_MAINTAIN_LIABILITIES_FLAG, does not let a line receive (CAP-18). */
const AUTHORIZED = 1

/** Trustline and data entry of each. */
const WALLETS_PER_CALL = KEYS_MAX / 2

/** How long a good answer is believed, in ms: about three ledgers of the public network. */
const BELIEVED_MS = 15_000

/** Wallets that are remembered before those out of date are dropped. */
const REMEMBERED_MAX = 10_000

/** What one answer of the ledger says about a wallet. */
interface Recipient {
  readonly memoRequired: boolean
  /** Why nobody can pay it, or undefined. */
  readonly refusal: IssuanceReason | undefined
  /** Stroops that its line still takes. */
  readonly roomStroops: bigint
}

interface Remembered {
  readonly roomStroops: bigint
  readonly untilMs: number
}

const roomOf = (line: xdr.TrustLineEntry): bigint =>
  line.limit - line.balance - (line.ext.type === "v1" ? line.ext.v1.liabilities.buying : 0n)

const isMemoRequired = (entry: xdr.LedgerEntryData | undefined): boolean => {
  if (entry?.type !== "data") return false
  const value = entry.data.dataValue.value
  return value.length === 1 && value[0] === "1".charCodeAt(0)
}

const recipientOf = (
  line: xdr.LedgerEntryData | undefined,
  memo: xdr.LedgerEntryData | undefined,
): Recipient => {
  const memoRequired = isMemoRequired(memo)
  if (line?.type !== "trustline") return { memoRequired, refusal: "no_trustline", roomStroops: 0n }
  const { trustLine } = line
  const refusal = (trustLine.flags & AUTHORIZED) === 0 ? "not_authorized" : undefined
  return { memoRequired, refusal, roomStroops: roomOf(trustLine) }
}

const chunksOf = <A>(list: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  )

/**
 * The wallets by what the ledger says now: one call for each hundred, and one more if some have no line. Those that only
 * an outdated answer speaks of are left out.
 */
const readRecipients = Effect.fnUntraced(function* (
  wallets: ReadonlyArray<string>,
  asset: Asset,
  isOutdated: (latestLedger: number) => boolean,
) {
  const recipients = new Map<string, Recipient>()
  for (const chunk of chunksOf(wallets, WALLETS_PER_CALL)) {
    const keys = chunk.map((wallet) => ({
      wallet,
      line: trustlineKey(wallet, asset),
      memo: dataKey(wallet, MEMO_REQUIRED),
    }))
    const { entries, latestLedger } = yield* readLedgerEntries(keys.flatMap(({ line, memo }) => [line, memo]))
    if (isOutdated(latestLedger)) continue
    for (const { line, memo, wallet } of keys) {
      recipients.set(wallet, recipientOf(entries.get(line), entries.get(memo)))
    }
  }
  const lineless = wallets.filter((wallet) => recipients.get(wallet)?.refusal === "no_trustline")
  for (const chunk of chunksOf(lineless, KEYS_MAX)) {
    const { entries, latestLedger } = yield* readLedgerEntries(chunk.map(accountKey))
    const isSeen = !isOutdated(latestLedger)
    for (const wallet of chunk) {
      if (!isSeen) recipients.delete(wallet)
      else if (!entries.has(accountKey(wallet)))
        recipients.set(wallet, { memoRequired: false, refusal: "no_account", roomStroops: 0n })
    }
  }
  return recipients
})

/** Walks the payments in their order; what does not fit into what the former ones leave is refused. */
const judge = (
  payments: ReadonlyArray<PreflightPayment>,
  recipients: ReadonlyMap<string, Recipient>,
): { readonly refused: ReadonlyMap<string, IssuanceReason>; readonly rooms: ReadonlyMap<string, bigint> } => {
  const refused = new Map<string, IssuanceReason>()
  const rooms = new Map<string, bigint>()
  for (const { amountStroops, issuanceId, walletAccount, walletAddress } of payments) {
    const recipient = recipients.get(walletAccount)
    if (recipient === undefined) continue
    const room = rooms.get(walletAccount) ?? recipient.roomStroops
    // First, so that such an account gets no claimable balance either: an exchange could not tell whose it is.
    if (recipient.memoRequired && !walletAddress.startsWith("M")) refused.set(issuanceId, "memo_required")
    else if (recipient.refusal !== undefined) refused.set(issuanceId, recipient.refusal)
    else if (amountStroops > room) refused.set(issuanceId, "limit_exceeded")
    else rooms.set(walletAccount, room - amountStroops)
  }
  return { refused, rooms }
}

const sumsByWallet = (payments: ReadonlyArray<PreflightPayment>): ReadonlyMap<string, bigint> => {
  const sums = new Map<string, bigint>()
  for (const { amountStroops, walletAccount } of payments) {
    sums.set(walletAccount, (sums.get(walletAccount) ?? 0n) + amountStroops)
  }
  return sums
}

/** How long the newest ledger that somebody has named is believed, in ms: one that nobody else sees was none. */
const TIP_MS = 60_000

/** The newest ledger known, and whether an answer is as new. */
const makeTip = () => {
  let newest = 0
  let untilMs = 0
  return {
    isAsNew: (ledger: number, nowMs: number): boolean => {
      if (ledger < newest && nowMs <= untilMs) return false
      newest = ledger
      untilMs = nowMs + TIP_MS
      return true
    },
  }
}

/** Wallets that could be paid a moment ago, with the room that what was let through since has left. */
const makeMemory = () => {
  const remembered = new Map<string, Remembered>()

  /** Takes the amount out of the wallet's remembered room; false when the ledger must be asked. */
  const take = (wallet: string, stroops: bigint, nowMs: number): boolean => {
    const known = remembered.get(wallet)
    if (known === undefined || known.untilMs <= nowMs || known.roomStroops < stroops) return false
    remembered.set(wallet, { ...known, roomStroops: known.roomStroops - stroops })
    return true
  }

  const put = (wallet: string, roomStroops: bigint, nowMs: number): void => {
    if (remembered.size >= REMEMBERED_MAX) {
      for (const [old, { untilMs }] of remembered) if (untilMs <= nowMs) remembered.delete(old)
    }
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    remembered.set(wallet, { roomStroops, untilMs: nowMs + BELIEVED_MS })
  }

  const forget = (wallet: string): void => {
    remembered.delete(wallet)
  }

  return { take, put, forget }
}

export interface Checked {
  /** Payments that could not be paid now, each with its reason, by issuance. */
  readonly refused: ReadonlyMap<string, IssuanceReason>
  /** Issuances of which nothing is known: the node that was asked lags. */
  readonly unseen: ReadonlySet<string>
}

export class Preflight extends Context.Service<
  Preflight,
  {
    /**
     * Which payments could not be paid now; their order decides which of them still fit into a trustline's limit. 100
     * wallets take one call, and a second one if some of them have no trustline. Wallets that could be paid in the last
     * 15 s are not asked about again while their room lasts.
     *
     * @param knownLedger the newest ledger that the caller knows of
     * @error SorobanRpcError where the node gave no answer; nothing is known then
     */
    readonly check: (
      payments: ReadonlyArray<PreflightPayment>,
      knownLedger: number,
    ) => Effect.Effect<Checked, SorobanRpcError>
  }
>()("nova/issuance/Preflight") {
  static readonly layer = Layer.effect(
    Preflight,
    Effect.gen(function* () {
      const rpc = yield* SorobanRpc
      const { assetCode, assetIssuer } = yield* IssuanceSettings
      const asset = new Asset(assetCode, assetIssuer)
      const memory = makeMemory()
      const tip = makeTip()

      const check = Effect.fn("Preflight.check")(function* (
        payments: ReadonlyArray<PreflightPayment>,
        knownLedger: number,
      ) {
        const askedMs = yield* Clock.currentTimeMillis
        tip.isAsNew(knownLedger, askedMs)
        const unknown = new Set(
          [...sumsByWallet(payments)]
            .filter(([wallet, stroops]) => !memory.take(wallet, stroops, askedMs))
            .map(([wallet]) => wallet),
        )
        const isOutdated = (ledger: number) => !tip.isAsNew(ledger, askedMs)
        const recipients = yield* readRecipients([...unknown], asset, isOutdated).pipe(
          Effect.provideService(SorobanRpc, rpc),
        )
        const { refused, rooms } = judge(payments, recipients)
        for (const [wallet, recipient] of recipients) {
          const isGood = recipient.refusal === undefined && !recipient.memoRequired
          if (isGood) memory.put(wallet, rooms.get(wallet) ?? recipient.roomStroops, askedMs)
          else memory.forget(wallet)
        }
        const isUnseen = ({ walletAccount }: PreflightPayment) =>
          unknown.has(walletAccount) && !recipients.has(walletAccount)
        const unseen = new Set(payments.filter(isUnseen).map(({ issuanceId }) => issuanceId))
        return { refused, unseen } satisfies Checked
      })

      return Preflight.of({ check })
    }),
  )
}
