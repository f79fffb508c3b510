/**
 * Every process that belongs to a home folder, as the kernel lists them (proc(5)): those whose NOVA_HOME it is, whose
 * command line names it, or who work inside it, as PostgreSQL's do, and everything that descends from them. The tree
 * alone would not do: a process that lost its parent is in no tree any more.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { Effect } from "effect"
import { identityOf, isAlive, type ProcessIdentity } from "../../../layers/platform/ProcessIdentity.ts"

export interface HomeProcess {
  readonly identity: ProcessIdentity
  readonly parent: number
  /** Its arguments, separated by spaces. */
  readonly command: string
  readonly environment: Readonly<Record<string, string>>
}

export type Part = "launcher" | "supervisor" | "postgres" | "localnet" | "api" | "issuance-worker"

/** What the parts are started as. PostgreSQL's own children change their title, so only the postmaster has `-D`. */
const COMMANDS: Record<Part, RegExp> = {
  launcher: /bin\/nova\.mjs all$/,
  supervisor: /src\/main\.ts all$/,
  postgres: /postgres -D /,
  localnet: /src\/main\.ts localnet /,
  api: /src\/main\.ts api$/,
  "issuance-worker": /src\/main\.ts issuance-worker$/,
}

const tryRead = (read: () => string): string => {
  try {
    return read()
  } catch {
    return ""
  }
}

const environmentOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split("\0")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  )

const parentIn = (stat: string): number => Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])

const read = (pid: number) => {
  const identity = identityOf(pid)
  if (identity === undefined) return undefined
  const command = tryRead(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"))
    .replaceAll("\0", " ")
    .trim()
  const environment = environmentOf(tryRead(() => readFileSync(`/proc/${pid}/environ`, "utf8")))
  const parent = parentIn(tryRead(() => readFileSync(`/proc/${pid}/stat`, "utf8")))
  const directory = tryRead(() => readlinkSync(`/proc/${pid}/cwd`))
  return { process: { identity, parent, command, environment } satisfies HomeProcess, directory }
}

const allPids = (): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

/** Zombies are none of them: they hold nothing. */
export const processesOf = (home: string): ReadonlyArray<HomeProcess> => {
  const everyone = allPids().flatMap((pid) => read(pid) ?? [])
  const own = new Map(
    everyone
      .filter(({ directory, process: { command, environment } }) => {
        return environment.NOVA_HOME === home || command.includes(home) || directory.startsWith(home)
      })
      .map((found) => [found.process.identity.pid, found.process]),
  )
  for (let grew = true; grew; ) {
    grew = false
    for (const { process: candidate } of everyone) {
      if (own.has(candidate.identity.pid) || !own.has(candidate.parent)) continue
      own.set(candidate.identity.pid, candidate)
      grew = true
    }
  }
  own.delete(process.pid)
  return [...own.values()]
}

/** The one process of that part; a start that is still going on, or a restart, may have none. */
export const partOf = (home: string, part: Part): HomeProcess | undefined =>
  processesOf(home).find(({ command }) => COMMANDS[part].test(command.replace(/ -c .*/, "")))

export const describe = (list: ReadonlyArray<HomeProcess>): string =>
  list.map(({ command, identity }) => `${identity.pid} ${command.slice(0, 120)}`).join("\n")

/** kill(2), unless that very process has ended already. */
export const signal = (identity: ProcessIdentity, name: NodeJS.Signals): void => {
  try {
    if (isAlive(identity)) process.kill(identity.pid, name)
  } catch {
    // It ended in between.
  }
}

/**
 * kill -9 for every process of the home, until none is left; answers with how many there were at first. They are
 * frozen first: whoever lives a moment longer than its parent must not get to stop in an orderly way.
 */
export const killAll = (home: string): Effect.Effect<number> =>
  Effect.gen(function* () {
    const first = processesOf(home)
    for (let left = first; left.length > 0; left = processesOf(home)) {
      for (const { identity } of left) signal(identity, "SIGSTOP")
      for (const { identity } of left) signal(identity, "SIGKILL")
      yield* Effect.sleep(10)
    }
    return first.length
  })
