/** Complaints of PostgreSQL and of the file system, and the sentences that a person gets. */
import { expect, test } from "bun:test"
import { explainPostgres } from "../../layers/db/embedded-postgres/Cluster.ts"
import { fileTrouble } from "../../layers/platform/FileTrouble.ts"

test("a full disk is named, in each way that PostgreSQL meets it", () => {
  // src/backend/storage/smgr/md.c, mdextend: the short write comes first, ENOSPC with the next one.
  const complaints = [
    'FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 10\nHINT:  Check free disk space.',
    'initdb: error: could not create directory "/x/base": No space left on device',
    'PANIC:  could not write to file "pg_wal/xlogtemp.5": No space left on device',
  ]
  for (const complaint of complaints) {
    expect(explainPostgres("Making it", complaint).message).toBe(
      "Making it failed: the disk is full; free some space.",
    )
  }
})

test("a user without an entry in /etc/passwd is told so", () => {
  // src/common/username.c, get_user_name
  const complaint = "initdb: error: could not look up effective user ID 12345: user does not exist"
  expect(explainPostgres("Making it", complaint).message).toContain("has no entry in /etc/passwd")
})

test("of a log the reason is told, without time, pid and the lines around it", () => {
  const log = [
    "2026-01-02 03:04:05.678 UTC [77] LOG:  starting PostgreSQL 18.4",
    "2026-01-02 03:04:05.679 UTC [77] FATAL:  could not map anonymous shared memory: Cannot allocate memory",
    "2026-01-02 03:04:05.680 UTC [77] HINT:  This error usually means that ...",
  ].join("\n")
  expect(explainPostgres("Starting PostgreSQL", log).message).toBe(
    "Starting PostgreSQL failed: could not map anonymous shared memory: Cannot allocate memory.",
  )
})

test("errors of the file system end with the way out", () => {
  const failure = (code: string) => Object.assign(new Error(`${code}: as the system says it`), { code })
  expect(fileTrouble(failure("ENOSPC"))).toBe("the disk is full; free some space")
  expect(fileTrouble(failure("EROFS"))).toContain("read-only")
  expect(fileTrouble(failure("EACCES"))).toContain("start as its owner")
  expect(fileTrouble(failure("EIO"))).toBe("EIO: as the system says it")
})
