import type { Network } from "../Network.ts"
import type { Order } from "./Page.ts"

/** Sequences behind the retained ones are cut off in blocks, so that forgetting costs no copy each time. */
const CUT_AFTER = 1024

interface Index {
  /** Ledgers with transactions, ascending. */
  sequences: Array<number>
  /** The last ledger that was looked at. */
  seen: number
}

/** What a network's readers have found out so far; it goes with the network. */
const indexes = new WeakMap<Network, Index>()

/** Index of the first of ascending numbers that is not below `least`. */
const firstFrom = (ascending: ReadonlyArray<number>, least: number): number => {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ascending[middle] ?? 0) < least) low = middle + 1
    else high = middle
  }
  return low
}

/** Looks once at every ledger that has come since the last time. */
const upToDate = (network: Network): ReadonlyArray<number> => {
  const index = indexes.get(network) ?? { sequences: [], seen: 0 }
  indexes.set(network, index)
  const latest = network.latest().sequence
  const oldest = network.oldestLedger()
  for (let sequence = Math.max(index.seen + 1, oldest); sequence <= latest; sequence++) {
    if ((network.ledger(sequence)?.transactions.length ?? 0) > 0) index.sequences.push(sequence)
    index.seen = sequence
  }
  const gone = firstFrom(index.sequences, oldest)
  if (gone >= CUT_AFTER && gone * 2 >= index.sequences.length) index.sequences = index.sequences.slice(gone)
  return index.sequences
}

/**
 * Sequences of the readable ledgers that hold transactions, from `edge` on in the direction of `order`. Most
 * ledgers of a quiet network are empty: each is looked at once, and then no page walks them any more.
 */
export function* nonEmptyLedgers(network: Network, order: Order, edge: number): Generator<number> {
  const sequences = upToDate(network)
  // A view that lags may show less than it did when the index was made.
  const first = firstFrom(sequences, network.oldestLedger())
  const end = firstFrom(sequences, network.latest().sequence + 1)
  if (order === "asc") {
    for (let at = Math.max(first, firstFrom(sequences, edge)); at < end; at++) yield sequences[at] ?? 0
    return
  }
  for (let at = Math.min(end, firstFrom(sequences, edge + 1)) - 1; at >= first; at--) yield sequences[at] ?? 0
}
