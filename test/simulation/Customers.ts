/**
 * The customers of a run, and what may become of a reward by who gets it and what its campaign says: written from what
 * merchants are told (docs of `onMissingTrustline`), not from the program's tables.
 */
import { encodeMuxedAccount, encodeMuxedAccountToAddress, type Keypair } from "@stellar/stellar-sdk"
import { keypairOf } from "../support/TestNetwork.ts"
import type { Campaign } from "./Merchants.ts"

/**
 * good: can be paid in the end; the trustline may be gone for a while. lineless: has none, and in some runs makes one.
 * absent: no account. narrow: a line that takes a few rewards. memo: asks for memos (SEP-29).
 */
export type CustomerKind = "good" | "lineless" | "absent" | "narrow" | "memo"

export interface Customer {
  readonly kind: CustomerKind
  readonly keys: Keypair
  /** G..., or M... of a good one. */
  readonly address: string
}

/** Customers that can be paid at the beginning; their lines may be gone later. */
export const GOOD = [0, 1, 2, 3].map((index) => keypairOf(`customer ${index}`))
export const LINELESS = keypairOf("no line")
const ABSENT = keypairOf("no account")
export const NARROW = keypairOf("small limit")
export const MEMO = keypairOf("wants a memo")

const customer = (kind: CustomerKind, keys: Keypair): Customer => ({
  kind,
  keys,
  address: keys.publicKey(),
})

const [first = ABSENT] = GOOD

/** The good ones first. */
export const customers: ReadonlyArray<Customer> = [
  ...GOOD.map((keys) => customer("good", keys)),
  {
    ...customer("good", first),
    address: encodeMuxedAccountToAddress(encodeMuxedAccount(first.publicKey(), "7")),
  },
  customer("lineless", LINELESS),
  customer("absent", ABSENT),
  customer("narrow", NARROW),
  customer("memo", MEMO),
]

/** What happens to the customers of a run. */
export interface Fortunes {
  /** Accounts whose trustline was to go for a while. */
  readonly linesGone: ReadonlySet<string>
  /** Whether the one without a line makes one. */
  readonly linelessJoins: boolean
}

const isPayableInTheEnd = ({ kind }: Customer, { linelessJoins }: Fortunes): boolean =>
  kind === "good" || (kind === "lineless" && linelessJoins)

/** Where a reward may stand in the end: "confirmed payment", "failed no_trustline". */
export type End = `${"confirmed" | "failed" | "held"} ${string}`

const PAID: End = "confirmed payment"
const LEFT: End = "confirmed claimable_balance"

/** For one whom the reason keeps from being paid. */
const endFor = (reason: string, policy: Campaign["onMissingTrustline"], address: string): End => {
  if (reason === "memo_required") return `held ${reason}`
  if (policy === "fail") return `failed ${reason}`
  const canBeLeft = reason !== "limit_exceeded" && address.startsWith("G")
  return policy === "claimable_balance" && canBeLeft ? LEFT : `held ${reason}`
}

const REASON: Record<Exclude<CustomerKind, "good">, string> = {
  lineless: "no_trustline",
  absent: "no_account",
  narrow: "limit_exceeded",
  memo: "memo_required",
}

/** All ends that a reward of this customer may have, besides being taken back by its merchant. */
export const endsOf = (
  one: Customer,
  policy: Campaign["onMissingTrustline"],
  fortunes: Fortunes,
): ReadonlySet<End> => {
  const { address, keys, kind } = one
  const isPayable = isPayableInTheEnd(one, fortunes)
  const ends: Array<End> = isPayable || kind === "narrow" ? [PAID] : []
  if (kind !== "good") ends.push(endFor(REASON[kind], policy, address))
  else if (fortunes.linesGone.has(keys.publicKey())) ends.push(endFor("no_trustline", policy, address))
  // Who can be paid in the end is not left waiting.
  return new Set(isPayable ? ends.filter((end) => !end.startsWith("held")) : ends)
}
