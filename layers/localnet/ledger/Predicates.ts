/** Claim predicates (CAP-23) between XDR and the engine's form. */
import { xdr } from "@stellar/stellar-sdk"
import { INT64_MAX, type Predicate } from "./Entries.ts"

export const predicateOf = (predicate: xdr.ClaimPredicate): Predicate => {
  switch (predicate.type) {
    case "claimPredicateUnconditional":
      return { is: "unconditional" }
    case "claimPredicateAnd":
      return { is: "and", of: predicate.andPredicates.map(predicateOf) }
    case "claimPredicateOr":
      return { is: "or", of: predicate.orPredicates.map(predicateOf) }
    case "claimPredicateNot":
      return { is: "not", of: predicate.notPredicate === null ? null : predicateOf(predicate.notPredicate) }
    case "claimPredicateBeforeAbsoluteTime":
      return { is: "before", seconds: predicate.absBefore }
    case "claimPredicateBeforeRelativeTime":
      return { is: "relative", seconds: predicate.relBefore }
  }
}

export const predicateXdr = (predicate: Predicate): xdr.ClaimPredicate => {
  switch (predicate.is) {
    case "unconditional":
      return xdr.ClaimPredicate.claimPredicateUnconditional()
    case "and":
      return xdr.ClaimPredicate.claimPredicateAnd(predicate.of.map(predicateXdr))
    case "or":
      return xdr.ClaimPredicate.claimPredicateOr(predicate.of.map(predicateXdr))
    case "not":
      return xdr.ClaimPredicate.claimPredicateNot(predicate.of === null ? null : predicateXdr(predicate.of))
    case "before":
      return xdr.ClaimPredicate.claimPredicateBeforeAbsoluteTime(predicate.seconds)
    case "relative":
      return xdr.ClaimPredicate.claimPredicateBeforeRelativeTime(predicate.seconds)
  }
}

/** CLAIM_PREDICATE depth that core admits, the outermost being 1. */
const DEPTH_MAX = 4

/** Two members to `and` and `or`, one to `not`, no negative times, at most four deep. */
export const isWellFormed = (predicate: Predicate, depth = 1): boolean => {
  if (depth > DEPTH_MAX) return false
  switch (predicate.is) {
    case "unconditional":
      return true
    case "and":
    case "or":
      return predicate.of.length === 2 && predicate.of.every((member) => isWellFormed(member, depth + 1))
    case "not":
      return predicate.of !== null && isWellFormed(predicate.of, depth + 1)
    case "before":
    case "relative":
      return predicate.seconds >= 0n
  }
}

/** What is stored: relative times counted from the ledger's close time, in Unix seconds. */
export const withAbsoluteTimes = (predicate: Predicate, closeTime: bigint): Predicate => {
  switch (predicate.is) {
    case "and":
    case "or":
      return { is: predicate.is, of: predicate.of.map((member) => withAbsoluteTimes(member, closeTime)) }
    case "not":
      return { is: "not", of: predicate.of === null ? null : withAbsoluteTimes(predicate.of, closeTime) }
    case "relative": {
      const overflows = closeTime > INT64_MAX - predicate.seconds
      return { is: "before", seconds: overflows ? INT64_MAX : closeTime + predicate.seconds }
    }
    default:
      return predicate
  }
}

/** Whether a stored predicate holds in a ledger that closes at this time. */
export const isClaimableAt = (predicate: Predicate, closeTime: bigint): boolean => {
  switch (predicate.is) {
    case "unconditional":
      return true
    case "and":
      return predicate.of.every((member) => isClaimableAt(member, closeTime))
    case "or":
      return predicate.of.some((member) => isClaimableAt(member, closeTime))
    case "not":
      return predicate.of !== null && !isClaimableAt(predicate.of, closeTime)
    case "before":
      return predicate.seconds > closeTime
    case "relative":
      return false
  }
}
