/** Transactions that are accepted and meet with a fault: dropped, late, banned, or judged by an old ledger. */
import { xdr } from "@stellar/stellar-sdk"
import { accountId } from "../ledger/Codec.ts"
import { type EnvelopeFrame, frameOf } from "../ledger/Frame.ts"
import type { Agreed, Network, Submission } from "../Network.ts"
import type { FaultKind } from "./FaultPlan.ts"
import type { Schedule } from "./Schedule.ts"

/** TRANSACTION_QUEUE_TIMEOUT_LEDGERS of stellar-core: how long a node keeps what no ledger takes. */
const QUEUE_LEDGERS = 4
/** TRANSACTION_QUEUE_BAN_LEDGERS */
const BAN_LEDGERS = 10

export interface Submissions {
  readonly submit: (envelopeXdr: string) => Submission
  /** What the other nodes agree on for the next ledger. */
  readonly agreed: () => Agreed
}

export interface SubmissionsOptions {
  readonly network: Network
  readonly schedule: Schedule
  /** Ledgers that the node is behind, and the entries as it sees them. */
  readonly behind: () => number
  readonly entry: Network["entry"]
  readonly onFault: (kind: FaultKind, hash: string) => void
}

interface Held {
  /** Left out of every ledger until so many have closed. */
  readonly until: number
  /** What another node then still has; undefined where nobody has it any more. */
  readonly envelopeXdr: string | undefined
}

const BAD_SEQUENCE = new xdr.TransactionResult({
  feeCharged: 0n,
  result: xdr.TransactionResultResult.txBadSeq(),
  ext: xdr.TransactionResultExt.v0(),
})

const badSequence = (hash: string): Submission => ({
  status: "ERROR",
  hash,
  result: BAD_SEQUENCE,
  resultXdr: BAD_SEQUENCE.toXdr("base64"),
})

/** What the queue would make of it; undefined for what is no transaction. */
const frameIn = (envelopeXdr: string, networkId: Uint8Array): EnvelopeFrame | undefined => {
  try {
    return frameOf(Buffer.from(envelopeXdr, "base64"), networkId)
  } catch {
    return undefined
  }
}

/** The next sequence of its source on the ledger that the node sees; a minimum sequence (CAP-21) allows gaps. */
const isNext = (frame: EnvelopeFrame, entry: Network["entry"]): boolean => {
  const key = new xdr.LedgerKeyAccount({ accountId: accountId(frame.inner.source) })
  const data = entry(xdr.LedgerKey.account(key))?.entry.data
  if (data?.type !== "account") return true
  const { seqNum } = data.account
  const { minSequence } = frame.inner.conditions
  if (minSequence === null) return frame.inner.sequence === seqNum + 1n
  return seqNum >= minSequence && seqNum < frame.inner.sequence
}

export const makeSubmissions = (options: SubmissionsOptions): Submissions => {
  const { network, schedule, behind, entry, onFault } = options
  const networkId = Buffer.from(network.networkId, "hex")
  const held = new Map<string, Held>()
  /** Hash -> ledgers closed when its ban ends. */
  const banned = new Map<string, number>()

  const isBanned = (hash: string): boolean => {
    const until = banned.get(hash)
    if (until !== undefined && schedule.closed() < until) return true
    banned.delete(hash)
    if (schedule.strike(["hash_ban"]) === undefined) return false
    banned.set(hash, schedule.closed() + BAN_LEDGERS)
    onFault("hash_ban", hash)
    return true
  }
  const mayHold = (hash: string, envelopeXdr: string): void => {
    const fault = schedule.strike(["dropped", "late"])
    if (fault === undefined) return
    const isLate = fault.kind === "late"
    const ledgers = isLate ? fault.heldLedgers : QUEUE_LEDGERS
    held.set(hash, { until: schedule.closed() + ledgers, envelopeXdr: isLate ? envelopeXdr : undefined })
    onFault(fault.kind, hash)
  }
  /** A node that is behind passes on what fits its old ledger, and learns nothing of what becomes of it. */
  const submitBehind = (frame: EnvelopeFrame, envelopeXdr: string): Submission => {
    const { hash } = frame
    if (!isNext(frame, entry)) {
      onFault("lag", hash)
      return badSequence(hash)
    }
    const answer = network.submit(envelopeXdr)
    if (answer.status !== "ERROR" || answer.result.result.type !== "txBadSeq") return answer
    onFault("lag", hash)
    return { status: "PENDING", hash }
  }

  return {
    submit: (envelopeXdr) => {
      const frame = frameIn(envelopeXdr, networkId)
      if (frame === undefined) return network.submit(envelopeXdr)
      if (isBanned(frame.hash)) return { status: "TRY_AGAIN_LATER", hash: frame.hash }
      const isBehind = behind() > 0
      const answer = isBehind ? submitBehind(frame, envelopeXdr) : network.submit(envelopeXdr)
      if (answer.status === "PENDING") mayHold(frame.hash, envelopeXdr)
      return answer
    },
    agreed: () => {
      const bring: Array<string> = []
      for (const [hash, { until, envelopeXdr }] of held) {
        if (schedule.closed() < until) continue
        held.delete(hash)
        if (envelopeXdr !== undefined && network.transaction(hash) === undefined) bring.push(envelopeXdr)
      }
      return { leaveOut: (hash) => held.has(hash), bring }
    },
  }
}
