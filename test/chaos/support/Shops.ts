/** More merchants on one system, each with a key and a campaign of its own, made as an operator and a merchant would. */
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { checkout, start } from "../../support/Processes.ts"
import type { Chance } from "./Chance.ts"
import type { Shop } from "./Invariants.ts"
import { makeMerchant } from "./Merchant.ts"
import { type Place, readDemo } from "./NovaSystem.ts"

export interface CommandEnded {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** One of nova's commands on the running system of the home. */
export const runCommand = (
  place: Place,
  ...args: ReadonlyArray<string>
): Effect.Effect<CommandEnded, never, Scope.Scope> =>
  Effect.gen(function* () {
    const command = [process.execPath, "--no-env-file", join(checkout, "src", "main.ts"), ...args]
    const started = yield* start(command, { env: place.environment })
    const code = yield* started.ended
    return { code, stdout: started.stdout(), stderr: started.stderr() }
  })

/** NOVA of each further campaign. */
const BUDGET = "1000000"

const openCampaign = (apiUrl: string, apiKey: string, name: string) =>
  Effect.promise(async () => {
    const response = await fetch(`${apiUrl}/api/campaigns`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": apiKey },
      body: JSON.stringify({ name, budget: BUDGET }),
      signal: AbortSignal.timeout(20_000),
    })
    if (!response.ok) throw new Error(`No campaign: ${response.status} ${await response.text()}`)
    return (await response.json()) as { readonly id: string }
  })

/** A new merchant on the running system, who sells to the demo's wallets. */
export const openShop = (
  place: Place,
  chance: Chance,
  name: string,
): Effect.Effect<Shop, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { code, stderr, stdout } = yield* runCommand(place, "merchant", "create", "--json", "--name", name)
    if (code !== 0) return yield* Effect.die(new Error(`No merchant: ${stderr}`))
    const { apiKey } = JSON.parse(stdout) as { readonly apiKey: string }
    const known = readDemo(place)
    const { id } = yield* openCampaign(known.apiUrl, apiKey, `Rewards of ${name}`)
    const demo = { ...known, apiKey, campaignId: id }
    return { demo, merchant: makeMerchant(demo, chance, name) }
  })

/** The demo's merchant and `count` - 1 more. */
export const openShops = (place: Place, chance: Chance, count: number) =>
  Effect.gen(function* () {
    const demo = readDemo(place)
    const shops: Array<Shop> = [{ demo, merchant: makeMerchant(demo, chance, "demo") }]
    for (let number = 2; number <= count; number++) {
      shops.push(yield* openShop(place, chance, `merchant-${number}`))
    }
    return shops
  })
