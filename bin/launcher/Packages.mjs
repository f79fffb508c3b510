// Keeps node_modules equal to bun.lock: installs when the lockfile or the platform changed, and only then.
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { withLock } from "./Lock.mjs"
import { isWritable, toolEnvironment } from "./Places.mjs"
import { runQuietly } from "./Run.mjs"
import { adviceFor, firstComplaint, Sentence } from "./Sentence.mjs"

const readIfThere = (path) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** What node_modules was installed from: the lockfile, the manifest, the bun and the platform. */
const fingerprintOf = (root) => {
  const hash = createHash("sha256")
  for (const file of ["bun.lock", "package.json", ".bun-version"])
    hash.update(readIfThere(join(root, file)) ?? "")
  return hash.update(`${process.platform} ${process.arch}`).digest("hex")
}

const stampOf = (root) => join(root, "node_modules", ".nova-installed")

/** The direct dependencies that are missing or of another version. Those of other platforms are optional, and not asked for. */
const missingPackages = (root) => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
  return wanted
    .filter(([name, version]) => {
      const found = readIfThere(join(root, "node_modules", name, "package.json"))
      return found === undefined || JSON.parse(found).version !== version
    })
    .map(([name]) => name)
}

const install = async (root, bun, fingerprint) => {
  const isFirst = readIfThere(stampOf(root)) === undefined
  console.error(isFirst ? "Installing packages (first start only) ..." : "Installing changed packages ...")
  const args = ["install", "--frozen-lockfile", "--no-progress", "--no-summary"]
  const answer = await runQuietly(bun, args, { cwd: root, env: toolEnvironment() })
  if (answer.code !== 0) {
    if (answer.signal !== null)
      throw new Sentence(`The installation of the packages was stopped by ${answer.signal}; start again.`)
    const advice = /lockfile had changes|lockfile is frozen/i.test(answer.output)
      ? "bun.lock does not belong to package.json; restore both from version control, or run `bun install` if you changed them"
      : (adviceFor(answer.output) ?? `bun said: ${firstComplaint(answer.output)}`)
    throw new Sentence(`The packages could not be installed into ${join(root, "node_modules")}: ${advice}.`)
  }
  const draft = `${stampOf(root)}.${process.pid}`
  writeFileSync(draft, fingerprint)
  renameSync(draft, stampOf(root))
}

/** Makes node_modules complete. One that is complete but belongs to somebody else is used as it is. */
export const ensurePackages = async (root, bun) => {
  const fingerprint = fingerprintOf(root)
  if (readIfThere(stampOf(root)) === fingerprint) return
  const folder = join(root, "node_modules")
  if (!isWritable(folder)) {
    const missing = missingPackages(root)
    if (missing.length === 0) return
    const [first, ...others] = missing
    const what = others.length === 0 ? first : `${first} and ${others.length} more packages`
    throw new Sentence(
      `${folder} lacks ${what}, and this user may not write there: run \`npm start\` once as its owner, or copy the checkout to a folder of yours.`,
    )
  }
  mkdirSync(folder, { recursive: true })
  await withLock(join(folder, ".nova-install-lock"), async () => {
    if (readIfThere(stampOf(root)) !== fingerprint) await install(root, bun, fingerprint)
  })
}
