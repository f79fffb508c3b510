#!/usr/bin/env node
// Runs a script of this repository on its pinned bun: node bin/bun.mjs scripts/test.ts [arguments]
// Nothing but Node 20 is needed beforehand. Scripts run in the checkout and read no .env file.
import { launch, root } from "./launcher/launch.mjs"

const [script, ...args] = process.argv.slice(2)

if (script === undefined) {
  console.error("Say which script to run, for example: node bin/bun.mjs scripts/check.ts")
  process.exitCode = 1
} else {
  await launch({ script, args, cwd: root, dotEnv: false })
}
