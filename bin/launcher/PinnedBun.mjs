// Finds the executable of the pinned bun: remembered from the last start, on PATH, or fetched by npx.
import { accessSync, constants, readFileSync, renameSync, writeFileSync } from "node:fs"
import { basename, delimiter, dirname, isAbsolute, join } from "node:path"
import { withLock } from "./Lock.mjs"
import { cacheDirectory, toolEnvironment } from "./Places.mjs"
import { runQuietly } from "./Run.mjs"
import { adviceFor, firstComplaint, Sentence } from "./Sentence.mjs"

const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return isAbsolute(path)
  } catch {
    return false
  }
}

const memoryOf = (version) => join(cacheDirectory(), `bun-${version}-${process.platform}-${process.arch}`)

const remembered = (version) => {
  try {
    const path = readFileSync(memoryOf(version), "utf8").trim()
    return isExecutable(path) ? path : undefined
  } catch {
    return undefined
  }
}

const remember = (version, path) => {
  const draft = `${memoryOf(version)}.${process.pid}`
  writeFileSync(draft, `${path}\n`)
  renameSync(draft, memoryOf(version))
}

const askForPath = ["--no-env-file", "-p", "Bun.version + ' ' + process.execPath"]

const pathIfPinned = (answer, version) => {
  const line = answer.stdout.trim().split("\n").at(-1) ?? ""
  const [found, ...rest] = line.split(" ")
  const path = rest.join(" ")
  return answer.code === 0 && found === version && isExecutable(path) ? path : undefined
}

const onPath = async (version) => {
  const names = ["bun", "bun.exe"]
  const folders = (process.env.PATH ?? "").split(delimiter).filter(isAbsolute)
  const found = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable)
  if (found === undefined) return undefined
  return pathIfPinned(await runQuietly(found, askForPath, { env: process.env }), version)
}

/** npx of the npm that started us, of this Node, or of PATH: [command, first arguments]. */
const npx = () => {
  const npmCli = process.env.npm_execpath ?? ""
  if (basename(npmCli) === "npm-cli.js") return [process.execPath, [npmCli, "exec"]]
  const besideNode = join(dirname(process.execPath), "npx")
  return [isExecutable(besideNode) ? besideNode : "npx", []]
}

const failed = (version, { code, output }) => {
  if (code === 127) {
    return new Sentence(
      `bun ${version} is not on PATH and there is no npx to fetch it with: install npm (it comes with Node) or bun ${version}.`,
    )
  }
  const advice = adviceFor(output) ?? `npm said: ${firstComplaint(output)}`
  return new Sentence(
    `Nova Rewards runs on bun ${version}, which could not be fetched: ${advice}; or put bun ${version} on PATH and start again.`,
  )
}

const fetchByNpx = async (version, root) => {
  console.error(`Fetching bun ${version} (first start only) ...`)
  const [command, first] = npx()
  const retries = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
  const args = [...first, "--prefer-offline", "--yes", ...retries, "--", `bun@${version}`, ...askForPath]
  const answer = await runQuietly(command, args, { cwd: root, env: toolEnvironment() })
  const path = pathIfPinned(answer, version)
  if (path === undefined) throw failed(version, answer)
  return path
}

/** The absolute path of the pinned bun's executable. */
export const pinnedBun = async (root) => {
  const version = readFileSync(join(root, ".bun-version"), "utf8").trim()
  if (process.versions.bun === version) return process.execPath
  const known = remembered(version)
  if (known !== undefined) return known
  return withLock(join(cacheDirectory(), "bun.lock"), async () => {
    const path = remembered(version) ?? (await onPath(version)) ?? (await fetchByNpx(version, root))
    remember(version, path)
    return path
  })
}
