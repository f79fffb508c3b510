/** The embedded network as a program of its own: `nova localnet`. */
import { randomBytes } from "node:crypto"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { Effect } from "effect"
import { planJson } from "../localnet/faults/FaultPlan.ts"
import { FAULT_PROFILES, type FaultProfileName } from "../localnet/faults/FaultProfile.ts"
import { injectFaults } from "../localnet/faults/InjectFaults.ts"
import { planFaults } from "../localnet/faults/PlanFaults.ts"
import { type LocalNetwork, openNetwork } from "../localnet/LocalNetwork.ts"
import { type LocalnetServerOptions, startLocalnetServer } from "../localnet/LocalnetServer.ts"
import { StartupFailure } from "../platform/StartupFailure.ts"
import { localnetScreen } from "./LocalnetScreen.ts"

/** Classic operations a ledger holds: those of the public network and of testnet in 2026. */
export const CAPACITY_PROFILES = { mainnet: 1000, testnet: 200 } as const

export const FAULT_PROFILE_NAMES = Object.keys(FAULT_PROFILES) as ReadonlyArray<FaultProfileName>

export interface LocalnetOptions {
  /** Undefined keeps the ledger in memory. */
  readonly ledgerFile: string | undefined
  readonly port: number
  readonly closeIntervalMs: number
  readonly profile: keyof typeof CAPACITY_PROFILES
  readonly passphrase: string
  /** Neither: no faults. A profile alone gets a seed of chance, a seed alone the mixed profile. */
  readonly faults: { readonly profile: FaultProfileName | undefined; readonly seed: string | undefined }
  /** One line at the start instead of the screen: for a supervisor's log. */
  readonly quiet: boolean
}

const sentence = (cause: unknown) =>
  new StartupFailure({ message: cause instanceof Error ? cause.message : String(cause) })

const open = ({ closeIntervalMs, ledgerFile, passphrase, profile }: LocalnetOptions) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        if (ledgerFile !== undefined) mkdirSync(dirname(ledgerFile), { recursive: true })
        return openNetwork({
          settings: { passphrase, closeIntervalMs, operationsPerLedgerMax: CAPACITY_PROFILES[profile] },
          now: () => Math.floor(Date.now() / 1000),
          ...(ledgerFile === undefined ? {} : { ledgerFile }),
        })
      },
      catch: sentence,
    }),
    (network) => Effect.sync(() => network.close()),
  )

type FaultChoice = { readonly profile: FaultProfileName; readonly seed: string }

const chosenFaults = ({ faults: { profile, seed } }: LocalnetOptions): FaultChoice | undefined =>
  profile === undefined && seed === undefined
    ? undefined
    : { profile: profile ?? "mixed", seed: seed ?? randomBytes(4).toString("hex") }

/** The network as it is served: itself, or with the planned faults in front of it, each told as it happens. */
const served = (network: LocalNetwork, faults: FaultChoice | undefined) => {
  if (faults === undefined) return { network }
  const plan = planFaults(faults.seed, FAULT_PROFILES[faults.profile], true)
  console.log(`fault plan ${planJson(plan)}`)
  const { calls, network: faulty } = injectFaults(network, plan, {
    onFault: (injection) => console.log(`fault ${JSON.stringify(injection)}`),
  })
  return { network: faulty, calls }
}

const serve = (options: Omit<LocalnetServerOptions, "onFault">, greet: (url: string) => void) =>
  Effect.callback<never, StartupFailure>((resume) => {
    const started = startLocalnetServer({
      ...options,
      onFault: (cause) => resume(Effect.fail(sentence(cause))),
    })
    started.then(
      (server) => greet(server.url),
      (cause) => resume(Effect.fail(sentence(cause))),
    )
    return Effect.promise(async () => {
      const server = await started.catch(() => undefined)
      await server?.stop()
    })
  })

/** Serves until its scope closes; fails when a ledger cannot be closed, a full disk say. */
export const localnet = Effect.fn("localnet")(function* (options: LocalnetOptions) {
  const { closeIntervalMs, ledgerFile, passphrase, port, quiet } = options
  const faults = chosenFaults(options)
  const network = yield* open(options)
  const greeting = (url: string): string =>
    quiet
      ? `The embedded Stellar network listens on ${url}`
      : localnetScreen({
          url,
          passphrase,
          closeIntervalMs,
          operationsPerLedgerMax: network.settings.operationsPerLedgerMax,
          ledgerFile,
          rootAddress: network.rootAddress,
          latestLedger: network.latest().sequence,
          faults,
        })
  const place = { hostname: "127.0.0.1", port, closeIntervalMs }
  return yield* serve({ ...served(network, faults), ...place }, (url) => console.log(greeting(url)))
})
