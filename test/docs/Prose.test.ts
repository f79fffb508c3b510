/** What README, CONTRIBUTING, SECURITY and the decisions say about files, commands and settings is so. */
import { expect, it } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import * as Settings from "../../src/kernel/Settings.ts"
import { anchorsOf, checkout, fencesOf, linksOf, pages, sectionOf, withoutFences } from "./Markdown.ts"

const read = (path: string) => readFileSync(join(checkout, path), "utf8")
const exists = (path: string) => existsSync(join(checkout, path))
const readme = read("README.md")

it("finds what it is to read", () => {
  const text = "# A b\n\n[x](y.md) and `z`\n\n```sh\n[no](link.md)\n```\n\n## C, d\n\nsection\n\n## E\n"
  expect(linksOf(text)).toEqual([{ target: "y.md", line: 3 }])
  expect(fencesOf(text)).toEqual([{ language: "sh", body: "[no](link.md)\n", line: 5 }])
  expect([...anchorsOf(text)]).toEqual(["a-b", "c-d", "e"])
  expect(sectionOf(text, "C, d")).toBe("C, d\n\nsection\n\n")
})

it("every relative link leads somewhere", () => {
  const broken = pages().flatMap(({ path, text }) =>
    linksOf(text).flatMap(({ target, line }) => {
      if (/^[a-z]+:/.test(target)) return []
      const [file = "", anchor] = target.split("#")
      const to = file === "" ? path : normalize(join(dirname(path), file))
      const isThere = exists(to) && (anchor === undefined || anchorsOf(read(to)).has(anchor))
      return isThere ? [] : [`${path}:${line} ${target}`]
    }),
  )
  expect(broken).toEqual([])
})

it("one reward is followed in six files, and they exist", () => {
  const section = sectionOf(readme, "Follow one reward in six files")
  const files = [...section.matchAll(/^\d\. \[([^\]]+)\]\(([^)]+)\): /gm)].map(
    ([, name = "", target = ""]) => {
      expect(target).toBe(name)
      return name
    },
  )
  expect(files).toEqual([
    "src/api/Rewards.ts",
    "src/issuance/IssuanceHttp.ts",
    "src/issuance/AcceptRewards.ts",
    "src/programs/IssuanceWorker.ts",
    "src/issuance/SubmitBatch.ts",
    "layers/soroban-rpc/SorobanRpcHttp.ts",
  ])
  for (const file of files) expect(exists(file)).toBe(true)
})

it("every file that is named in prose exists", () => {
  const root = /^(?:src|layers|migrations|bin|scripts|test|docs)\//
  const gone = pages().flatMap(({ path, text }) =>
    [...withoutFences(text).matchAll(/[\w@.-]+(?:\/[\w@<>.-]+)+/g)].flatMap(({ 0: found, index }) => {
      const named = found.replace(/[.:]+$/, "")
      const isExample = /[<>]/.test(found) || /\d{4}_what_it_does/.test(found)
      if (!root.test(named) || isExample || exists(named)) return []
      return [`${path}:${text.slice(0, index).split("\n").length} ${named}`]
    }),
  )
  expect(gone).toEqual([])
})

const settingNames = new Set(Settings.all.map(({ name }) => name))

/** Words in capitals with an underscore, and single words where they are written as code with a value or alone. */
const settingsIn = (text: string): ReadonlyArray<string> => [
  ...[...text.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name),
  ...[...text.matchAll(/`(HOST|PORT|[A-Z]+)=[^`]*`/g)].map(([, name = ""]) => name),
]

/** Capitals that are no settings: statuses of RPC. */
const NO_SETTINGS = new Set(["TRY_AGAIN_LATER"])

it("every setting that is named exists", () => {
  const unknown = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/adr/0003-at-most-once.md",
    "docs/adr/0004-process-tree.md",
  ].flatMap((path) =>
    settingsIn(read(path))
      .filter((name) => !settingNames.has(name) && !NO_SETTINGS.has(name))
      .map((name) => `${path} ${name}`),
  )
  expect(unknown).toEqual([])
})

it("README names the settings that testnet needs", () => {
  const [settings] = fencesOf(sectionOf(readme, "Point it at testnet"))
  const names = [...(settings?.body ?? "").matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
  const required = Settings.all.filter(
    ({ fallback, name }) => fallback === undefined && name !== "DATABASE_URL",
  )
  for (const { name } of required) expect(names).toContain(name)
  expect(names).toContain("STELLAR_NETWORK")
})

const scripts: Readonly<Record<string, string>> = JSON.parse(read("package.json")).scripts

/** npm's own commands among those that we name; the rest goes through `npm run`. */
const BUILT_IN = new Set(["start", "test"])

const npmFault = (command: string): string | undefined => {
  const [, first = "", second = ""] = command.split(/\s+/)
  const script = first === "run" ? second : first
  if (first !== "run" && !BUILT_IN.has(first)) return "npm has no such command"
  return script in scripts ? undefined : "package.json has no such script"
}

it("every npm command that is named exists", () => {
  const wrong = pages().flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm (?:run )?[a-z][\w:-]*/g)]
      .map(([command]) => command)
      .filter((command) => !/^npm (?:install|checks|registry|and|or|at|itself)\b/.test(command))
      .flatMap((command) =>
        npmFault(command) === undefined ? [] : [`${path} ${command}: ${npmFault(command)}`],
      ),
  )
  expect(wrong).toEqual([])
})

it("the shell fences parse", () => {
  for (const { path, text } of pages()) {
    for (const { body, language, line } of fencesOf(text)) {
      if (language !== "sh") continue
      const parsed = Bun.spawnSync(["sh", "-n"], { stdin: Buffer.from(body) })
      expect(`${path}:${line} ${parsed.stderr}${parsed.exitCode}`).toBe(`${path}:${line} 0`)
    }
  }
})

it("scripts of package.json run files that exist", () => {
  for (const command of Object.values(scripts)) {
    const files = command.split(" ").filter((part) => /\.(?:mjs|ts)$/.test(part))
    for (const file of files) expect([file, exists(file)]).toEqual([file, true])
  }
})

it("nova has the commands that README names", () => {
  const help = Bun.spawnSync([process.execPath, "--no-env-file", "src/main.ts", "--help"], { cwd: checkout })
  const section = help.stdout.toString().split("SUBCOMMANDS")[1] ?? ""
  const known = [...section.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name)
  const [sentence = ""] = /Each program also runs alone[\s\S]*?lists them\./.exec(readme) ?? []
  const named = [...sentence.matchAll(/`(?:node bin\/nova\.mjs )?([a-z][a-z-]*)`/g)].map(([, name]) => name)
  expect(named).toEqual(["migrate", "api", "issuance-worker", "localnet", "resume"])
  for (const name of named) expect(known).toContain(name)
})

it("decisions are numbered without a gap, and README lists each", () => {
  const files = readdirSync(join(checkout, "docs/adr")).sort()
  expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, index) => index + 1))
  for (const file of files) {
    expect(readme).toContain(`docs/adr/${file}`)
    const text = read(`docs/adr/${file}`)
    for (const heading of ["Context", "Decision", "Evidence", "Consequences"])
      expect([file, heading, sectionOf(text, heading) !== ""]).toEqual([file, heading, true])
  }
})

it("the licence is Apache 2.0, as package.json says", () => {
  expect(JSON.parse(read("package.json")).license).toBe("Apache-2.0")
  expect(read("LICENSE")).toMatch(/^\s+Apache License\n\s+Version 2\.0, January 2004\n/)
})
