/**
 * For how many ledgers a reward was on its way while everything that it needed was there.
 *
 * A ledger counts for a reward when it closed after the reward was accepted and before it ended, and at a moment when
 * the worker, PostgreSQL and the network were up. The API is not needed by what is accepted. What "down" means is said
 * where it is noted (Watch.ts); a program that is up again, and still waits before it tries again, is not down.
 */

/** From, until: milliseconds of the Unix epoch. */
export interface Span {
  readonly fromMs: number
  readonly untilMs: number
}

/** When each ledger was first seen closed, in ms, ascending; one entry for each ledger. */
export type Closes = ReadonlyArray<number>

const isWithin = (atMs: number, spans: ReadonlyArray<Span>): boolean =>
  spans.some(({ fromMs, untilMs }) => fromMs <= atMs && atMs <= untilMs)

/** The closes at which nothing was down. */
export const countedCloses = (closes: Closes, downs: ReadonlyArray<Span>): Closes =>
  closes.filter((atMs) => !isWithin(atMs, downs))

/** How long the spans last together, in ms; what they share counts once. */
export const unionMs = (spans: ReadonlyArray<Span>): number => {
  let [sum, end] = [0, 0]
  for (const { fromMs, untilMs } of spans.toSorted((one, other) => one.fromMs - other.fromMs)) {
    sum += Math.max(0, untilMs - Math.max(fromMs, end))
    end = Math.max(end, untilMs)
  }
  return sum
}

/** How many of the ascending numbers are `limit` or less. */
const upTo = (sorted: Closes, limit: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1
    else high = middle
  }
  return low
}

/** How many of the closes lie after the beginning of the span and not after its end. */
export const ledgersIn = (closes: Closes, { fromMs, untilMs }: Span): number =>
  upTo(closes, untilMs) - upTo(closes, fromMs)

/** The smallest value that is not below the given share of all; 0 of none. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}
