/** The ledger file on disk: appended and fsynced record by record, now and then rewritten as a whole. */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { lockFile } from "./FileLock.ts"
import {
  type Extent,
  encodeRecord,
  type FileRecord,
  type FoundRecord,
  LedgerFileError,
  MAGIC,
  scan,
} from "./Records.ts"

export interface LedgerFile {
  readonly path: string
  /** What the file held when it was opened. */
  readonly records: ReadonlyArray<FoundRecord>
  /** Appends and returns when the bytes are on the disk: where each record stands. */
  readonly append: (records: ReadonlyArray<FileRecord>) => ReadonlyArray<Extent>
  /**
   * Replaces the whole content by new records and by what stands at an extent of the old one: after a crash
   * the file is either the old one or the new one. Returns where each stands now.
   */
  readonly rewrite: (parts: ReadonlyArray<FileRecord | Extent>) => ReadonlyArray<Extent>
  /** Bytes. */
  readonly size: () => number
  readonly close: () => void
}

const writeAll = (fd: number, bytes: Uint8Array, position: number): void => {
  let done = 0
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

/** A rename is durable once its directory is. */
const syncDirectory = (path: string): void => {
  const fd = openSync(path, "r")
  fsyncSync(fd)
  closeSync(fd)
}

/** Extents of records that stand one behind the other. */
const laidOut = (start: number, lengths: ReadonlyArray<number>): ReadonlyArray<Extent> => {
  let at = start
  return lengths.map((length) => {
    at += length
    return { at: at - length, length }
  })
}

const readAt = (fd: number, { at, length }: Extent): Uint8Array => {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const read = readSync(fd, bytes, done, length - done, at + done)
    if (read === 0) throw new Error("it ends too soon")
    done += read
  }
  return bytes
}

/** Writes the parts behind the magic number of an empty file. */
const writeParts = (
  from: number,
  to: number,
  parts: ReadonlyArray<FileRecord | Extent>,
): ReadonlyArray<Extent> => {
  writeAll(to, MAGIC, 0)
  let at = MAGIC.length
  const lengths = parts.map((part) => {
    const bytes = "kind" in part ? encodeRecord(part) : readAt(from, part)
    writeAll(to, bytes, at)
    at += bytes.length
    return bytes.length
  })
  return laidOut(MAGIC.length, lengths)
}

/** What the operating system refuses, as one sentence. */
const orRefuse = <A>(path: string, attempt: () => A): A => {
  try {
    return attempt()
  } catch (cause) {
    if (cause instanceof LedgerFileError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LedgerFileError(`The ledger file ${path} cannot be used: ${reason}.`, { cause })
  }
}

/** @throws LedgerFileError when another process has the file, or it is damaged, or no ledger file */
export const openLedgerFile = (file: string): LedgerFile => {
  const directory = orRefuse(file, () => {
    mkdirSync(dirname(file), { recursive: true })
    return realpathSync(dirname(file))
  })
  const path = join(directory, basename(file))
  const opened = orRefuse(path, () => openLocked(path, directory))
  return {
    ...opened,
    append: (records) => orRefuse(path, () => opened.append(records)),
    rewrite: (parts) => orRefuse(path, () => opened.rewrite(parts)),
  }
}

const openLocked = (path: string, directory: string): LedgerFile => {
  const unlock = lockFile(path)
  try {
    rmSync(`${path}.new`, { force: true })
    const isNew = !existsSync(path)
    const found = scan(isNew ? Buffer.alloc(0) : readFileSync(path), path)
    let fd = openSync(path, isNew ? "w+" : "r+")
    let length = found.length
    let open = true
    // The descriptor's number may be another file's by now.
    const checkOpen = (): void => {
      if (!open) throw new LedgerFileError(`The ledger file ${path} cannot be used: it is closed.`)
    }
    ftruncateSync(fd, length)
    if (length === 0) {
      writeAll(fd, MAGIC, 0)
      length = MAGIC.length
    }
    fsyncSync(fd)
    if (isNew) syncDirectory(directory)

    return {
      path,
      records: found.records,
      append: (records) => {
        checkOpen()
        const parts = records.map(encodeRecord)
        const extents = laidOut(
          length,
          parts.map((part) => part.length),
        )
        const bytes = Buffer.concat(parts)
        writeAll(fd, bytes, length)
        fdatasyncSync(fd)
        length += bytes.length
        return extents
      },
      rewrite: (parts) => {
        checkOpen()
        const replacement = openSync(`${path}.new`, "w+")
        const extents = writeParts(fd, replacement, parts)
        fsyncSync(replacement)
        renameSync(`${path}.new`, path)
        syncDirectory(directory)
        closeSync(fd)
        fd = replacement
        length = extents.reduce((sum, extent) => sum + extent.length, MAGIC.length)
        return extents
      },
      size: () => length,
      close: () => {
        if (!open) return
        open = false
        closeSync(fd)
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}
