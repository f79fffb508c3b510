/** The house rules, held on every file of the checkout. Each failure lists `file:line` and what is wrong there. */
import { beforeAll, expect, it } from "bun:test"
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
import { type Area, areaOf, importRule, launcherAlone } from "./ImportRule.ts"
import { readSources } from "./Sources.ts"
import { parse, type Tree } from "./Syntax.ts"

let tree: Tree

beforeAll(async () => {
  tree = await parse(readSources())
})

const inside = (...folders: ReadonlyArray<string>) => {
  const pattern = new RegExp(`^(?:${folders.join("|")})/`)
  return (path: string) => pattern.test(path)
}

const product = inside("src", "layers", "migrations")
const everything = inside("src", "layers", "migrations", "bin", "scripts", "test")
/** The rules' own tests spell out what is forbidden. */
const isSample = inside("test/tidy")

const held = (name: string, rule: Rule, applies: (path: string) => boolean) => {
  it(name, () => {
    expect(breachesOf(rule, tree, applies)).toEqual([])
  })
}

it("the tree is there to be looked at", () => {
  const areas = new Set([...tree.keys()].map(areaOf))
  const expected: ReadonlyArray<Area> = [
    "api",
    "domain",
    "kernel",
    "layers",
    "localnet",
    "main",
    "migrations",
    "ports",
    "programs",
    "wiring",
  ]
  for (const area of expected) expect(areas).toContain(area)
})

held("imports go inwards only", importRule, product)
held("the launcher needs nothing but Node", launcherAlone, inside("bin"))
held("functions fit a screen", functionLength, inside("src", "layers", "migrations", "bin", "scripts"))
held("files stay below 400 lines", fileLength, everything)
held("files are named after what they hold", fileName, product)
held("service keys say where a service lives", serviceKeys, inside("src"))
held("no barrels", noBarrel, everything)
held(
  "the environment is read by Config only",
  noEnvironment,
  (path) => product(path) && path !== "layers/platform/Environment.ts",
)
held("src takes time and chance from Effect", noAmbientTime, inside("src", "migrations"))
held("no statement reads PostgreSQL's clock", noSqlClock, product)
held("no any, no non-null assertion", noEscape, inside("src", "layers", "migrations", "scripts"))
held("no directive silences the type checker", noDirective, (path) => everything(path) && !isSample(path))
held("nothing is left undone", nothingUndone, (path) => everything(path) && !isSample(path))
held(
  "no test is skipped or run alone",
  noSkip,
  (path) => inside("test")(path) && path !== "test/launch/fixtures/Failing.ts",
)
