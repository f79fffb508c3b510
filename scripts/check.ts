/**
 * `bun run check`: types, lint and format, effects that nobody runs, generated files. One line each, the whole story
 * of those that failed, and a non-zero exit code if any did.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"

const checkout = join(import.meta.dir, "..")

interface Check {
  readonly name: string
  readonly command: ReadonlyArray<string>
  /** What to run to put it right, where a command can. */
  readonly remedy?: string
  /** In the output of a tool that could not be had: the check is skipped then, except in CI. */
  readonly unavailable?: RegExp
}

const installed = (name: string) => join(checkout, "node_modules", ".bin", name)

/**
 * The Effect language service's diagnostics as a command. Fetched when it is first needed: its 54 MB have no place in
 * the installation that `npm start` waits for. This version knows TypeScript 7.0.2 and needs no configuration of ours.
 */
const effectTool = "@effect/tsgo@0.45.0"
const effectRules = {
  floatingEffect: "error",
  missingStarInYieldEffectGen: "error",
  effectInVoidSuccess: "error",
  promiseInEffectSuccess: "error",
  lazyPromiseInEffectSync: "error",
  // Two stages in one generator are often meant; a hint for editors; two that repeat tsc, but stumble over `unknown`.
  returnEffectInGen: "off",
  missingReturnYieldStar: "off",
  missingEffectError: "off",
  missingEffectContext: "off",
}
const effectSettings = {
  name: "@effect/language-service",
  diagnostics: true,
  diagnosticSeverity: effectRules,
}
const effectArguments = [
  ...["--project", "tsconfig.json", "--format", "text", "--severity", "error"],
  ...["--lspconfig", JSON.stringify(effectSettings)],
]

const checks: ReadonlyArray<Check> = [
  { name: "types", command: [installed("tsc"), "--noEmit"] },
  {
    name: "lint and format",
    command: [installed("biome"), "check", "--error-on-warnings", "."],
    remedy: "bun run format",
  },
  {
    name: "effects that nobody runs",
    command: ["npx", "--prefer-offline", "--yes", effectTool, "diagnostics", ...effectArguments],
    unavailable:
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED|ENOENT|Executable not found|E404|EBADPLATFORM/,
  },
  {
    name: "generated files",
    command: [process.execPath, "--no-env-file", join("scripts", "docs.ts"), "--check"],
    remedy: "bun run docs",
  },
]

const scriptOf = (check: Check) => check.command.find((part) => part.startsWith("scripts"))

const isCi = process.env.CI === "true"

/** Runs one check and prints its line, with the output of one that failed. */
const run = (check: Check): "passed" | "failed" | "skipped" => {
  const startedAtMs = performance.now()
  const [program = "", ...args] = check.command
  const ran = spawnSync(program, args, { cwd: checkout, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
  const output = `${ran.stdout ?? ""}${ran.stderr ?? ""}${ran.error ?? ""}`.trimEnd()
  if (ran.status === 0) {
    console.log(`ok      ${check.name} (${seconds} s)`)
    return "passed"
  }
  if (!isCi && check.unavailable?.test(output) === true) {
    console.log(
      `skipped ${check.name}: ${program} could not fetch its tool, which needs the npm registry once`,
    )
    return "skipped"
  }
  console.log(`FAILED  ${check.name} (${seconds} s)\n${output || `ended with ${ran.status ?? ran.signal}`}`)
  if (check.remedy !== undefined) console.log(`To put right what can be: ${check.remedy}`)
  return "failed"
}

const applicable = checks.filter((check) => {
  const script = scriptOf(check)
  return script === undefined || existsSync(join(checkout, script))
})
const results = applicable.map(run)
const countOf = (result: string) => results.filter((found) => found === result).length
console.log(`Checks: ${countOf("passed")} passed, ${countOf("failed")} failed, ${countOf("skipped")} skipped`)
process.exitCode = countOf("failed") === 0 ? 0 : 1
