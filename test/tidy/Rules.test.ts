/** The rules themselves: each finds what it is for, where it is, and leaves good code alone. */
import { describe, expect, it } from "bun:test"
import { breachesOf, type Rule } from "./Breach.ts"
import { fileLength, fileName, noBarrel, serviceKeys } from "./Files.ts"
import {
  noAmbientTime,
  noDirective,
  noEnvironment,
  noEscape,
  noSkip,
  noSqlClock,
  nothingUndone,
} from "./Forbidden.ts"
import { functionLength } from "./FunctionLength.ts"
import { importRule, launcherAlone } from "./ImportRule.ts"
import { parse } from "./Syntax.ts"

type Sources = Readonly<Record<string, string>>

/** `file:line` of every breach. */
const placesOf = async (rule: Rule, sources: Sources) =>
  breachesOf(rule, await parse(sources)).map((breach) => breach.split(" ", 1)[0])

/** Each line by itself must be a breach, or each must be none. */
const judge = async (rule: Rule, path: string, lines: ReadonlyArray<string>) =>
  placesOf(rule, { [path]: lines.join("\n") })
const everyLine = (path: string, lines: ReadonlyArray<string>) =>
  lines.map((_, index) => `${path}:${index + 1}`)

const rejects = async (rule: Rule, path: string, lines: ReadonlyArray<string>) =>
  expect(await judge(rule, path, lines)).toEqual(everyLine(path, lines))
const accepts = async (rule: Rule, path: string, lines: ReadonlyArray<string>) =>
  expect(await judge(rule, path, lines)).toEqual([])

describe("imports", () => {
  const importing = (...paths: ReadonlyArray<string>) => paths.map((path) => `import { x } from "${path}"`)

  it("the kernel sees the kernel", async () => {
    await accepts(importRule, "src/kernel/Ids.ts", importing("./Crc32.ts", "effect"))
    await rejects(
      importRule,
      "src/kernel/Ids.ts",
      importing("../ports/Redis.ts", "../api/Lists.ts", "../../layers/Live.ts"),
    )
  })

  it("ports see the kernel", async () => {
    await accepts(importRule, "src/ports/Redis.ts", importing("../kernel/Retry.ts"))
    await rejects(
      importRule,
      "src/ports/Redis.ts",
      importing("./Horizon.ts", "../merchant/Owner.ts", "../../layers/redis/RedisMemory.ts"),
    )
  })

  it("of a domain only the handlers see the contract, and nobody sees the rim", async () => {
    const paths = ["../api/Problems.ts"]
    await accepts(importRule, "src/campaign/CampaignHttp.ts", importing(...paths, "../ports/Redis.ts"))
    await rejects(
      importRule,
      "src/campaign/Campaigns.ts",
      importing(...paths, "../../layers/db/Database.ts", "../programs/ApiServer.ts"),
    )
  })

  it("every form of import is seen", async () => {
    await rejects(importRule, "src/kernel/Ids.ts", [
      'import "../ports/Redis.ts"',
      'import * as Redis from "../ports/Redis.ts"',
      'import type { Redis as Port } from "../ports/Redis.ts"',
      'export { layer } from "../ports/Redis.ts"',
      'export * from "../ports/Redis.ts"',
      'const later = import("../ports/Redis.ts")',
      'type Late = import("../ports/Redis.ts").Redis',
    ])
  })

  it("what only looks like an import is none", async () => {
    await accepts(importRule, "src/kernel/Ids.ts", [
      '// import { x } from "../ports/Redis.ts"',
      "const text = 'import { x } from \"../ports/Redis.ts\"'",
      'const template = `import "../ports/Redis.ts"`',
      'const pattern = /import ".*"/',
    ])
  })

  it("a domain takes another one's tags, errors and types, not its innards", async () => {
    const campaign = `
      export class Campaigns extends Context.Service<Campaigns, {}>()("nova/campaign/Campaigns") {}
      export const Limits = Context.Reference<number>("nova/campaign/Limits", {})
      export class CampaignNotFound extends Schema.TaggedError<CampaignNotFound>()("CampaignNotFound", {}) {}
      export interface Campaign {}
      export const budgetLeft = () => 1`
    const other = (line: string) =>
      placesOf(importRule, { "src/campaign/Campaigns.ts": campaign, "src/issuance/Issuances.ts": line })
    for (const name of ["Campaigns", "Limits", "CampaignNotFound", "type Campaign"])
      expect(await other(`import { ${name} } from "../campaign/Campaigns.ts"`)).toEqual([])
    expect(await other('import type { budgetLeft } from "../campaign/Campaigns.ts"')).toEqual([])
    const innards = ["src/issuance/Issuances.ts:1"]
    expect(await other('import { Campaigns, budgetLeft } from "../campaign/Campaigns.ts"')).toEqual(innards)
    expect(await other('import * as Campaigns from "../campaign/Campaigns.ts"')).toEqual(innards)
    expect(await other('import type { layer } from "../campaign/CampaignHttp.ts"')).toEqual(innards)
  })

  it("the contract takes models, not services", async () => {
    const domain = {
      "src/campaign/Campaign.ts": "export const CampaignStatus = 1",
      "src/campaign/Campaigns.ts":
        'export class Campaigns extends Context.Service<Campaigns, {}>()("nova/campaign/Campaigns") {}',
    }
    const contract = (line: string) => placesOf(importRule, { ...domain, "src/api/Campaigns.ts": line })
    expect(await contract('import { CampaignStatus } from "../campaign/Campaign.ts"')).toEqual([])
    expect(await contract('import type { Campaigns } from "../campaign/Campaigns.ts"')).toEqual([])
    expect(await contract('import { Campaigns } from "../campaign/Campaigns.ts"')).toEqual([
      "src/api/Campaigns.ts:1",
    ])
  })

  it("programs put domains together, hold no SQL and know no layer", async () => {
    await accepts(
      importRule,
      "src/programs/ApiServer.ts",
      importing("../api/NovaApi.ts", "../merchant/AuthHttp.ts"),
    )
    await rejects(
      importRule,
      "src/programs/ApiServer.ts",
      importing("effect/sql", "../../layers/Live.ts", "../main.ts"),
    )
  })

  it("operate sees what runs in the domains, but not their handlers, the contract or the rim", async () => {
    await accepts(importRule, "src/operate/Recover.ts", importing("../issuance/BatchMemo.ts", "./Match.ts"))
    await rejects(
      importRule,
      "src/operate/Recover.ts",
      importing(
        "../issuance/IssuanceHttp.ts",
        "../api/Lists.ts",
        "../../layers/Live.ts",
        "../cli/Recover.ts",
      ),
    )
    await rejects(importRule, "src/issuance/Batches.ts", importing("../operate/Recover.ts"))
  })

  it("main and its commands alone see the layers, but not the migrations or the embedded network's inside", async () => {
    await accepts(importRule, "src/main.ts", importing("../layers/Live.ts", "../layers/db/Migrations.ts"))
    await accepts(
      importRule,
      "src/cli/Recover.ts",
      importing("../../layers/Live.ts", "../operate/Recover.ts"),
    )
    await rejects(
      importRule,
      "src/main.ts",
      importing("../layers/localnet/Network.ts", "../migrations/0001_x.ts"),
    )
  })

  it("layers see ports and kernel; the wiring also domains", async () => {
    const paths = importing(
      "../../src/ports/Redis.ts",
      "../../src/kernel/Settings.ts",
      "../platform/Platform.ts",
    )
    await accepts(importRule, "layers/redis/RedisMemory.ts", paths)
    await rejects(
      importRule,
      "layers/redis/RedisMemory.ts",
      importing("../../src/merchant/Owner.ts", "../Live.ts"),
    )
    await accepts(importRule, "layers/Test.ts", importing("../src/merchant/Merchants.ts", "./Live.ts"))
    await rejects(
      importRule,
      "layers/Live.ts",
      importing("../src/api/NovaApi.ts", "../src/main.ts", "../test/x.ts"),
    )
  })

  it("only layers/db sees migrations, and migrations see nothing of ours", async () => {
    await accepts(
      importRule,
      "layers/db/Migrations.ts",
      importing("../../migrations/0001_x.ts", "@effect/sql-pg"),
    )
    await rejects(
      importRule,
      "layers/redis/Redis.ts",
      importing("../../migrations/0001_x.ts", "@effect/sql-pg"),
    )
    await rejects(importRule, "migrations/0001_x.ts", importing("../src/kernel/Ids.ts"))
  })

  it("the embedded network and the product share nothing", async () => {
    await accepts(
      importRule,
      "layers/localnet/rpc/Ledgers.ts",
      importing("../Network.ts", "node:fs", "bun:sqlite"),
    )
    await rejects(
      importRule,
      "layers/localnet/rpc/Ledgers.ts",
      importing("../../../src/kernel/Amount.ts", "../../platform/Platform.ts", "effect"),
    )
    await accepts(importRule, "layers/horizon/HorizonLocalnet.ts", importing("../localnet/Network.ts"))
    await rejects(importRule, "layers/horizon/HorizonHttp.ts", importing("../localnet/Network.ts"))
  })

  it("the launcher has Node and itself", async () => {
    await accepts(launcherAlone, "bin/launcher/Run.mjs", importing("node:fs", "./Places.mjs"))
    await rejects(launcherAlone, "bin/launcher/Run.mjs", importing("effect", "../../src/main.ts"))
  })
})

describe("functions", () => {
  const filler = (lines: number) => Array.from({ length: lines }, () => "  step()").join("\n")
  const path = "src/campaign/Campaigns.ts"

  it("seventy lines are enough", async () => {
    expect(await placesOf(functionLength, { [path]: `const f = () => {\n${filler(68)}\n}` })).toEqual([])
    expect(await placesOf(functionLength, { [path]: `const f = () => {\n${filler(69)}\n}` })).toEqual([
      `${path}:1`,
    ])
    expect(await placesOf(functionLength, { [path]: `\nfunction f() {\n${filler(69)}\n}` })).toEqual([
      `${path}:2`,
    ])
    const method = `class C {\n  m() {\n${filler(69)}\n  }\n}`
    expect(await placesOf(functionLength, { [path]: method })).toEqual([`${path}:2`])
  })

  it("braces in strings, templates, comments and patterns are no blocks", async () => {
    const tricky = `const f = () => {\n  a('{'); b(\`{\${c({})}\`) // {\n  /* { */ return /[{]/\n}`
    expect(await placesOf(functionLength, { [path]: `${tricky}\n${filler(80)}` })).toEqual([])
  })

  it("what a service's generator defines is measured by itself", async () => {
    const methods = [1, 2, 3].map((n) => `const m${n} = Effect.fn("m")(function* () {\n${filler(30)}\n})`)
    const make = (body: string) =>
      `const make = Effect.gen(function* () {\n${body}\nreturn { m1, m2, m3 }\n})`
    expect(await placesOf(functionLength, { [path]: make(methods.join("\n")) })).toEqual([])
    const long = `const m4 = Effect.fn("m")(function* () {\n${filler(70)}\n})`
    expect(await placesOf(functionLength, { [path]: make(long) })).toEqual([`${path}:2`])
  })

  it("a callback that runs in place belongs to its function", async () => {
    const callback = `const f = () => {\n  list.forEach(() => {\n${filler(67)}\n  })\n}`
    expect(await placesOf(functionLength, { [path]: callback })).toEqual([`${path}:1`])
    const now = `const f = Effect.gen(function* () {\n  const x = yield* Effect.gen(function* () {\n${filler(67)}\n  })\n})`
    expect(await placesOf(functionLength, { [path]: now })).toEqual([`${path}:1`])
  })
})

describe("files", () => {
  it("have 400 lines at most", async () => {
    const lines = (count: number) => Array.from({ length: count }, (_, n) => `const v${n} = ${n}\n`).join("")
    expect(await placesOf(fileLength, { "src/kernel/Long.ts": lines(400) })).toEqual([])
    expect(await placesOf(fileLength, { "src/kernel/Long.ts": lines(401) })).toEqual(["src/kernel/Long.ts:1"])
  })

  it("pass nothing on", async () => {
    await rejects(noBarrel, "src/kernel/All.ts", ['export * from "./Ids.ts"', 'export { x } from "./Ids.ts"'])
    expect(await placesOf(noBarrel, { "src/a/B.ts": 'import { x } from "./C.ts"\nexport { x }' })).toEqual([
      "src/a/B.ts:1",
    ])
    await accepts(noBarrel, "src/kernel/Own.ts", ["const own = 1", "export { own }"])
  })

  it("are named after what they hold", async () => {
    const vague = [
      "src/kernel/utils.ts",
      "src/common/Ids.ts",
      "src/kernel/ids.ts",
      "layers/redis/index.ts",
      "migrations/1.ts",
    ]
    for (const path of vague) await rejects(fileName, path, ["export const ids = 1"])
    for (const path of ["src/main.ts", "migrations/0001_create_merchants.ts", "src/kernel/Ids.ts"])
      await accepts(fileName, path, ["export const ids = 1"])
    await rejects(fileName, "src/ports/Redis.ts", ["export class Cache {}"])
    await accepts(fileName, "src/ports/Redis.ts", ["export class Redis {}"])
    await rejects(fileName, "src/issuance/Issuances.ts", ["export const IssuancesLive = 1"])
  })

  it("hold the services that their keys name", async () => {
    const tag = (key: string) => [`export class Issuances extends Context.Service()("${key}") {}`]
    await accepts(serviceKeys, "src/issuance/Issuances.ts", tag("nova/issuance/Issuances"))
    await rejects(serviceKeys, "src/issuance/Issuances.ts", tag("nova/issuance/Rewards"))
    await rejects(serviceKeys, "src/issuance/Issuances.ts", tag("nova/campaign/Issuances"))
  })
})

describe("what has no place in the code", () => {
  const path = "src/kernel/Example.ts"

  it("the environment", async () => {
    await rejects(noEnvironment, path, [
      "const a = process.env.PORT",
      'const b = process.env["PORT"]',
      "const c = Bun.env",
      "const { env } = process",
      'import { env as d } from "node:process"',
    ])
    await accepts(noEnvironment, path, ['const e = "process.env"', "const f = process.pid // process.env"])
  })

  it("the clock and chance of the machine", async () => {
    await rejects(noAmbientTime, path, [
      "const a = Date.now()",
      "const b = new Date()",
      "const c = Math.random()",
      "setTimeout(() => {}, 1)",
      "globalThis.setInterval(() => {}, 1)",
      "const d = { now: Date.now }",
      "const e = performance.now()",
      "const f = Date()",
    ])
    await accepts(noAmbientTime, path, [
      "const g = new Date(0)",
      "builder.setTimeout(0)",
      'const h = "Date.now()"',
    ])
  })

  it("PostgreSQL's clock", async () => {
    await rejects(noSqlClock, path, [
      "const a = sql`UPDATE t SET at = now()`",
      "const b = sql`INSERT INTO t VALUES (1, CURRENT_TIMESTAMP)`",
      `const c = sql\`SELECT \${1} < NOW ()\``,
      'const d = "at timestamptz DEFAULT clock_timestamp()"',
    ])
    await accepts(noSqlClock, path, [
      `const e = sql\`SELECT \${now()}\``,
      "const f = sql`SELECT known`",
      "const g = now()",
    ])
  })

  it("ways around the type checker", async () => {
    await rejects(noEscape, path, ["let a: any", "const b = c as any", "const d = e!", "let f!: string"])
    await accepts(noEscape, path, ['const g = "any"', "const h = !i", "// any", "const j = k !== l"])
    await rejects(noDirective, path, ["// @ts-ignore", "/* @ts-expect-error */"])
  })

  it("things left undone, tests left out", async () => {
    await rejects(nothingUndone, path, ["// TODO: later", "const a = 1 // FIXME"])
    await accepts(nothingUndone, path, ["// A todo list is a list"])
    await rejects(noSkip, "test/A.test.ts", ['it.skip("a", f)', 'test.only("a", f)', 'describe.todo("a")'])
    await accepts(noSkip, "test/A.test.ts", [
      'it.skipIf(absent)("a", f)',
      "stream.skip(1)",
      'it("it.only(1)", f)',
    ])
  })
})

it("a file that does not parse is no clean file", async () => {
  const error = await parse({ "src/kernel/Broken.ts": "const a = {" }).catch(String)
  expect(error).toBe("Error: src/kernel/Broken.ts does not parse")
})
