/** Claim predicates (CAP-23) between XDR and the engine's form. */
import { xdr } from "@stellar/stellar-sdk"
import type { Predicate } from "./Entries.ts"

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
