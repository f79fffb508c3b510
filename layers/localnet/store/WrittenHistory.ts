/**
 * Which ledgers the file holds as they are shown, and where. A ledger's history is written once, soon after the
 * ledger: a checkpoint needs no more than the last of it, and a rewrite copies what there is.
 */
import type { History } from "../ledger/History.ts"
import type { LedgerFile } from "./LedgerFile.ts"
import type { Extent, FileRecord } from "./Records.ts"
import { historyRecord, isHistory, lastLedgerIn } from "./Snapshot.ts"

export interface WrittenHistory {
  /** Appends the history that is not in the file yet and, behind it, `record`. */
  readonly append: (record: FileRecord) => void
  /** Rewrites the file: `head`, what is still retained of the history, and `state`. */
  readonly rewrite: (head: ReadonlyArray<FileRecord>, state: FileRecord) => void
}

interface Written {
  readonly extent: Extent
  /** The last ledger in it. */
  readonly last: number
}

export const makeWrittenHistory = (file: LedgerFile, history: History): WrittenHistory => {
  let written: Array<Written> = file.records
    .filter(isHistory)
    .map((record) => ({ extent: record.extent, last: lastLedgerIn(record) }))
  let last = written.reduce((highest, one) => Math.max(highest, one.last), 0)

  const unwritten = (): ReadonlyArray<FileRecord> => {
    const ledgers = history.keptFrom(last + 1)
    return ledgers.length === 0 ? [] : [historyRecord(ledgers)]
  }
  const remember = (records: ReadonlyArray<FileRecord>, extents: ReadonlyArray<Extent>): void => {
    for (const [at, record] of records.entries()) {
      const extent = extents[at]
      if (extent === undefined || !isHistory(record)) continue
      last = lastLedgerIn(record)
      written.push({ extent, last })
    }
  }
  return {
    append: (record) => {
      const records = [...unwritten(), record]
      remember(records, file.append(records))
    },
    rewrite: (head, state) => {
      const kept = written.filter((one) => one.last >= history.oldest())
      const fresh = [...unwritten(), state]
      const extents = file.rewrite([...head, ...kept.map(({ extent }) => extent), ...fresh])
      const moved = extents.slice(head.length)
      written = kept.map((one, at) => ({ last: one.last, extent: moved[at] ?? one.extent }))
      remember(fresh, moved.slice(kept.length))
    },
  }
}
