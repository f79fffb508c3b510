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
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { lockFile } from "./FileLock.ts"
import { encodeRecord, type FileRecord, LedgerFileError, MAGIC, scan } from "./Records.ts"

export interface LedgerFile {
  readonly path: string
  /** What the file held when it was opened. */
  readonly records: ReadonlyArray<FileRecord>
  /** Appends and returns when the bytes are on the disk. */
  readonly append: (records: ReadonlyArray<FileRecord>) => void
  /** Replaces the whole content: after a crash the file is either the old one or the new one. */
  readonly rewrite: (records: ReadonlyArray<FileRecord>) => void
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

const concat = (records: ReadonlyArray<FileRecord>): Uint8Array => Buffer.concat(records.map(encodeRecord))

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
    rewrite: (records) => orRefuse(path, () => opened.rewrite(records)),
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
        const bytes = concat(records)
        writeAll(fd, bytes, length)
        fdatasyncSync(fd)
        length += bytes.length
      },
      rewrite: (records) => {
        checkOpen()
        const bytes = concat(records)
        const replacement = openSync(`${path}.new`, "w+")
        writeAll(replacement, MAGIC, 0)
        writeAll(replacement, bytes, MAGIC.length)
        fsyncSync(replacement)
        renameSync(`${path}.new`, path)
        syncDirectory(directory)
        closeSync(fd)
        fd = replacement
        length = MAGIC.length + bytes.length
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
