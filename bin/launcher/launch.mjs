// From plain Node to the pinned bun: find it, make the packages complete, run the program in our place.
import { existsSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { ensurePackages } from "./Packages.mjs"
import { pinnedBun } from "./PinnedBun.mjs"
import { homeDirectory } from "./Places.mjs"
import { runInPlace } from "./Run.mjs"
import { adviceFor, Sentence } from "./Sentence.mjs"

/** The checkout: the folder of package.json. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const nodeMajorMin = 20

/** The current directory, or the checkout where the current directory has been deleted. */
export const currentDirectory = () => {
  try {
    return process.cwd()
  } catch {
    return root
  }
}

const checkMachine = () => {
  const major = Number(process.versions.node.split(".")[0])
  if (major < nodeMajorMin) {
    throw new Sentence(
      `Nova Rewards needs Node ${nodeMajorMin} or newer and this is Node ${process.versions.node}: install a newer one from https://nodejs.org and start again.`,
    )
  }
  if (process.platform !== "linux" && process.platform !== "darwin") {
    throw new Sentence(
      `Nova Rewards runs on Linux and macOS, not on ${process.platform}: on Windows use WSL 2.`,
    )
  }
}

const argumentsFor = ({ script, args, dotEnv }) => {
  const dotEnvFile = join(root, ".env")
  return [
    `--config=${join(root, "bunfig.toml")}`,
    dotEnv && existsSync(dotEnvFile) ? `--env-file=${dotEnvFile}` : "--no-env-file",
    resolve(root, script),
    ...args,
  ]
}

const environmentFor = () => {
  const home = homeDirectory()
  return {
    ...process.env,
    ...(home === undefined ? {} : { HOME: home }),
    NOVA_PARENT_PID: String(process.pid),
  }
}

const printed = (error) => {
  if (error instanceof Sentence) return error.message
  const advice = adviceFor(String(error))
  return advice === undefined ? error : `${error.path ?? "The start"} failed: ${advice}.`
}

/** Runs a script of the checkout on the pinned bun and leaves with its exit code. */
export const launch = async (program) => {
  try {
    checkMachine()
    const bun = await pinnedBun(root)
    await ensurePackages(root, bun)
    process.exitCode = await runInPlace(bun, argumentsFor(program), {
      cwd: program.cwd,
      env: environmentFor(),
    })
  } catch (error) {
    console.error(printed(error))
    process.exitCode = 1
  }
}
