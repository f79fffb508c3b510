/** Fees in stroops per operation; percentiles by nearest rank. */
export interface FeeDistribution {
  readonly max: string
  readonly min: string
  readonly mode: string
  readonly p10: string
  readonly p20: string
  readonly p30: string
  readonly p40: string
  readonly p50: string
  readonly p60: string
  readonly p70: string
  readonly p80: string
  readonly p90: string
  readonly p95: string
  readonly p99: string
}

/** The value that occurs most often; the lowest of several. `sorted` is ascending and not empty. */
const modeOf = (sorted: ReadonlyArray<bigint>, fallback: bigint): bigint => {
  let mode = fallback
  let runLength = 0
  let runLengthMax = 0
  sorted.forEach((fee, index) => {
    runLength = index > 0 && sorted[index - 1] === fee ? runLength + 1 : 1
    if (runLength > runLengthMax) {
      runLengthMax = runLength
      mode = fee
    }
  })
  return mode
}

/** @param emptyStroops what every figure says where there were no transactions */
export const feeDistribution = (fees: ReadonlyArray<bigint>, emptyStroops: bigint): FeeDistribution => {
  const sorted = [...fees].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const at = (index: number): string => String(sorted[index] ?? emptyStroops)
  const percentile = (p: number): string => at(Math.ceil((p * sorted.length) / 100) - 1)
  return {
    max: at(sorted.length - 1),
    min: at(0),
    mode: String(modeOf(sorted, emptyStroops)),
    p10: percentile(10),
    p20: percentile(20),
    p30: percentile(30),
    p40: percentile(40),
    p50: percentile(50),
    p60: percentile(60),
    p70: percentile(70),
    p80: percentile(80),
    p90: percentile(90),
    p95: percentile(95),
    p99: percentile(99),
  }
}
