import { StrKey } from "@stellar/stellar-sdk"
import type { AppliedTransaction, Network, Submission } from "../Network.ts"
import { accountEntry } from "./AccountResource.ts"
import type { Inclusion } from "./Inclusion.ts"
import { badRequest, invalidField, submissionTimeout, transactionFailed } from "./Problems.ts"
import { resultCodes } from "./ResultCodes.ts"

/** Creates and funds an account; resolves with the transaction that did it. */
export type Friendbot = (address: string) => Promise<AppliedTransaction>

/** TransactionResult of a create_account that failed with ALREADY_EXIST, fee 100 (friendbot's minion.go). */
const ALREADY_EXIST_XDR = "AAAAAAAAAGT/////AAAAAQAAAAAAAAAA/////AAAAAA="

/** The detail is what friendbot says and what the SDK's requestAirdrop looks for. */
const alreadyExists = () =>
  badRequest(`createAccountAlreadyExist (${ALREADY_EXIST_XDR})`, {
    result_codes: { transaction: "tx_failed", operations: ["op_already_exists"] },
  })

const failedWithExisting = (transaction: AppliedTransaction): boolean => {
  const outer = transaction.result.result
  if (outer.type !== "txFailed") return false
  return outer.results.some(
    (one) => one.type === "opInner" && one.tr.value.type === "createAccountAlreadyExist",
  )
}

/**
 * One friendbot for one network. The account it pays from can have one transaction waiting at a time, so
 * that requests which come together are sent one after the other, a ledger later each if need be.
 */
export const makeFriendbot = (network: Network, inclusion: Inclusion, timeoutMs: number): Friendbot => {
  let tail: Promise<unknown> = Promise.resolve()

  const accepted = async (address: string, deadlineMs: number): Promise<Submission> => {
    while (true) {
      if (accountEntry(network, address) !== undefined) throw alreadyExists()
      const submission = network.submit(network.friendbot(address))
      if (submission.status !== "TRY_AGAIN_LATER") return submission
      if (performance.now() > deadlineMs) throw submissionTimeout(submission.hash, "")
      await inclusion.nextLedger()
    }
  }

  /** Takes turns: the next one is sent as soon as this one was accepted, not when it is included. */
  const inTurn = <A>(run: () => Promise<A>): Promise<A> => {
    const turn = tail.then(run, run)
    tail = turn.catch(() => undefined)
    return turn
  }

  return async (address) => {
    if (!StrKey.isValidEd25519PublicKey(address)) throw invalidField("addr", "base32 decode failed")
    const deadlineMs = performance.now() + timeoutMs
    const submission = await inTurn(() => accepted(address, deadlineMs))
    if (submission.status === "ERROR") {
      throw transactionFailed({
        hash: submission.hash,
        result_codes: resultCodes(submission.result),
        result_xdr: submission.resultXdr,
      })
    }
    const applied = await inclusion.wait(submission.hash, timeoutMs)
    if (applied === undefined) throw submissionTimeout(submission.hash, "")
    if (failedWithExisting(applied)) throw alreadyExists()
    return applied
  }
}
