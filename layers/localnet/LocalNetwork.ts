/**
 * The embedded Stellar network's engine: a ledger with core's rules, inside the process, without consensus.
 * It reads no clock and starts no timer: time comes in by `now` and by `closeLedger`, so that a simulation can
 * run it in virtual time.
 */
import { Keypair } from "@stellar/stellar-sdk"
import { closeLedger, type LedgerChain, termsAt } from "./ledger/CloseLedger.ts"
import { hexOf, keyOfAddress, sha256 } from "./ledger/Codec.ts"
import { keyOf } from "./ledger/Entries.ts"
import { entryKeyOf, entryXdr } from "./ledger/EntryXdr.ts"
import { type EnvelopeFrame, frameOf } from "./ledger/Frame.ts"
import { makeFriendbot } from "./ledger/Friendbot.ts"
import type { SealedHeader } from "./ledger/Header.ts"
import { makeHistory } from "./ledger/History.ts"
import { transactionResult } from "./ledger/Results.ts"
import { makeLedgerState } from "./ledger/State.ts"
import type { TransactionSet } from "./ledger/TransactionSet.ts"
import { checkValid, type ValidationContext } from "./ledger/Validity.ts"
import {
  type Agreed,
  type ClosedLedger,
  MalformedEnvelope,
  type Network,
  type NetworkSettings,
  type StoredEntry,
  type Submission,
} from "./Network.ts"
import { chooseSet, payable } from "./queue/ChooseSet.ts"
import { makeTransactionQueue } from "./queue/TransactionQueue.ts"
import { addToHistory, fileStore, type Limits, memoryStore } from "./store/LedgerStore.ts"

export const DEFAULT_SETTINGS: NetworkSettings = {
  passphrase: "Standalone Network ; February 2017",
  // The public network's since 2026; the SDK decodes its XDR.
  protocolVersion: 27,
  operationsPerLedgerMax: 1000,
  closeIntervalMs: 5000,
  baseFeeStroops: 100,
  baseReserveStroops: 5_000_000,
  // RPC keeps seven days of ledgers by default (HISTORY_RETENTION_WINDOW).
  retentionLedgers: 120_960,
}

export interface NetworkOptions {
  readonly settings?: Partial<NetworkSettings>
  /** Absent: memory only. */
  readonly ledgerFile?: string
  /** When the ledger file gets a checkpoint, and when it is rewritten. */
  readonly ledgerFileLimits?: Partial<Limits>
  /** Unix seconds: what a node's clock would show. */
  readonly now: () => number
  /** Accounts that friendbot may use at the same time; 0 leaves the root account alone and closes no ledger. */
  readonly friendbotHelpers?: number
}

const FRIENDBOT_HELPERS = 20

const OWN_QUEUE: Agreed = { leaveOut: () => false, bring: [] }

/** A network, and the way to let go of its file. */
export interface LocalNetwork extends Network {
  readonly close: () => void
}

const decodeBase64 = (text: string): Uint8Array => {
  const bytes = Buffer.from(text, "base64")
  if (bytes.length === 0 || bytes.toString("base64").replace(/=+$/, "") !== text.replace(/=+$/, "")) {
    throw new MalformedEnvelope("the envelope is not base64")
  }
  return bytes
}

export const openNetwork = (options: NetworkOptions): LocalNetwork => {
  const settings: NetworkSettings = { ...DEFAULT_SETTINGS, ...options.settings }
  const networkIdBytes = sha256(new TextEncoder().encode(settings.passphrase))
  const state = makeLedgerState()
  const chain: LedgerChain = { state, settings, networkId: networkIdBytes }
  const history = makeHistory(settings.retentionLedgers)
  const queue = makeTransactionQueue()
  const listeners = new Set<(ledger: ClosedLedger) => void>()
  const store =
    options.ledgerFile === undefined
      ? memoryStore(chain, history, settings.passphrase)
      : fileStore(options.ledgerFile, chain, history, settings.passphrase, options.ledgerFileLimits)
  let head: SealedHeader = store.head
  let broken = false

  const lastClose = (): number => Number(head.header.scpValue.closeTime)

  const decode = (envelopeXdr: string): EnvelopeFrame => {
    const bytes = decodeBase64(envelopeXdr)
    try {
      return frameOf(bytes, networkIdBytes)
    } catch (cause) {
      throw new MalformedEnvelope("the envelope is not a TransactionEnvelope", { cause })
    }
  }

  /**
   * The queue validates for the ledger to come, whose close time it can only guess: two intervals from now at
   * the latest (getUpperBoundCloseTimeOffset, src/transactions/TransactionUtils.cpp).
   */
  const toCome = (): ValidationContext => {
    const terms = termsAt(chain, head.header.ledgerSeq + 1, BigInt(lastClose()))
    const drift = Math.max(0, options.now() - lastClose())
    const latest = lastClose() + drift + Math.ceil((2 * settings.closeIntervalMs) / 1000)
    return { state, terms, earliestClose: terms.closeTime, latestClose: BigInt(latest) }
  }

  const submit = (envelopeXdr: string): Submission => {
    checkAlive()
    const frame = decode(envelopeXdr)
    const context = toCome()
    const added = queue.add(frame, {
      state,
      terms: context.terms,
      operationsPerLedgerMax: settings.operationsPerLedgerMax,
      validate: (one) => checkValid(one, context),
    })
    if (added.status !== "ERROR") return { status: added.status, hash: frame.hash }
    const result = transactionResult(frame, added.verdict)
    return { status: "ERROR", hash: frame.hash, result, resultXdr: result.toXdr("base64") }
  }

  const isValid = (frame: EnvelopeFrame, context: ValidationContext): boolean =>
    checkValid(frame, context).code === "txSuccess"

  /** What waits and is valid; the rest leaves the queue and is banned (TxSetUtils::getInvalidTxList). */
  const keepValid = (context: ValidationContext): ReadonlySet<EnvelopeFrame> => {
    const waiting = queue.waiting()
    const valid = waiting.filter((frame) => isValid(frame, context))
    const kept = new Set(payable(valid, state, context.terms))
    queue.ban(waiting.filter((frame) => !kept.has(frame)))
    return kept
  }

  /** Those that are valid at this very close time (TxSetUtils::trimInvalid). */
  const candidatesAt = (closeTime: bigint, { bring, leaveOut }: Agreed): ReadonlyArray<EnvelopeFrame> => {
    const terms = termsAt(chain, head.header.ledgerSeq + 1, closeTime)
    const context = { state, terms, earliestClose: closeTime, latestClose: closeTime }
    const valid = keepValid(context)
    // A ledger takes one transaction of a source: what others bring stands for ours.
    const bySource = new Map<string, EnvelopeFrame>()
    for (const frame of valid) if (!leaveOut(frame.hash)) bySource.set(frame.inner.source, frame)
    for (const frame of bring.map(decode))
      if (isValid(frame, context)) bySource.set(frame.inner.source, frame)
    return [...bySource.values()]
  }

  /** Applies, records, and only then shows. A disk that fails leaves a network that answers nothing any more. */
  const makeDurable = (set: TransactionSet, closeTime: bigint): ClosedLedger => {
    broken = true
    const closed = closeLedger(chain, head, set, closeTime)
    store.record(closed, set, closeTime)
    head = closed.header
    const ledger = addToHistory(history, closed)
    store.tidy(head)
    broken = false
    return ledger
  }

  const checkAlive = (): void => {
    if (broken) throw new Error("The ledger could not be made durable; the network has stopped.")
  }

  const close = (at: number, agreed: Agreed = OWN_QUEUE): ClosedLedger => {
    checkAlive()
    const closeTime = BigInt(Math.max(Math.floor(at), lastClose() + 1))
    const set = chooseSet(
      candidatesAt(closeTime, agreed),
      settings.operationsPerLedgerMax,
      BigInt(settings.baseFeeStroops),
    )
    const ledger = makeDurable(set, closeTime)
    // HerderImpl::updateTransactionQueue: what was applied leaves, the rest ages, what will soon be invalid goes.
    queue.ledgerClosed(set.frames)
    keepValid(toCome())
    for (const listener of listeners) listener(ledger)
    return ledger
  }

  const stored = (key: string | undefined): StoredEntry | undefined => {
    checkAlive()
    const entry = key === undefined ? undefined : state.get(key)
    return entry === undefined
      ? undefined
      : { entry: entryXdr(entry), lastModifiedLedger: entry.lastModified }
  }
  const subEntries = (address: string, kind: "trustline" | "data"): ReadonlyArray<StoredEntry> => {
    checkAlive()
    return state
      .subEntries(keyOfAddress(address))
      .filter((entry) => entry.kind === kind)
      .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
      .map((entry) => ({ entry: entryXdr(entry), lastModifiedLedger: entry.lastModified }))
  }

  const entriesOf: Network["entriesOf"] = (kind) => {
    const found: Array<StoredEntry> = []
    for (const entry of state.all()) {
      if (entry.kind === kind) found.push({ entry: entryXdr(entry), lastModifiedLedger: entry.lastModified })
    }
    return found
  }

  const helpers = options.friendbotHelpers ?? FRIENDBOT_HELPERS
  const friendbot = makeFriendbot(settings.passphrase, helpers, {
    account: state.account,
    isPending: queue.isPending,
  })
  if (head.header.ledgerSeq === 1 && helpers > 0) {
    submit(friendbot.setUp())
    close(options.now())
  }

  return {
    settings,
    networkId: hexOf(networkIdBytes),
    rootAddress: Keypair.master(settings.passphrase).publicKey(),
    latest: history.latest,
    oldestLedger: history.oldest,
    ledger: history.ledger,
    transaction: history.transaction,
    entry: (key) => stored(entryKeyOf(key)),
    trustlines: (address) => subEntries(address, "trustline"),
    dataEntries: (address) => subEntries(address, "data"),
    entriesOf,
    transactionsOf: history.transactionsOf,
    submit,
    pendingCount: queue.size,
    closeLedger: close,
    onClose: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    friendbot: friendbot.fund,
    close: store.close,
  }
}
