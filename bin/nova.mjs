#!/usr/bin/env node
// The one entry of Nova Rewards: nova all | api | issuance-worker | localnet | migrate | ...
// Nothing but Node 20 is needed beforehand: the pinned bun and the packages are fetched on the first start.
// Settings come from the environment and from the .env file beside package.json, whatever the current directory.
import { currentDirectory, launch } from "./launcher/launch.mjs"

await launch({ script: "src/main.ts", args: process.argv.slice(2), cwd: currentDirectory(), dotEnv: true })
