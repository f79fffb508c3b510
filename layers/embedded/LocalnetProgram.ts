/** The embedded network as a program of its own: `nova localnet`. */
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { Effect } from "effect"
import * as Settings from "../../src/kernel/Settings.ts"
import { openNetwork } from "../localnet/LocalNetwork.ts"
import { startLocalnetServer } from "../localnet/LocalnetServer.ts"
import { StartupFailure } from "../platform/StartupFailure.ts"

export interface LocalnetOptions {
  /** Undefined keeps the ledger in memory. */
  readonly ledgerFile: string | undefined
}

const sentence = (cause: unknown) =>
  new StartupFailure({ message: cause instanceof Error ? cause.message : String(cause) })

const open = Effect.fnUntraced(function* (options: LocalnetOptions, closeIntervalMs: number) {
  const passphrase = yield* Settings.networkPassphrase
  const { ledgerFile } = options
  return yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        if (ledgerFile !== undefined) mkdirSync(dirname(ledgerFile), { recursive: true })
        return openNetwork({
          settings: { passphrase, closeIntervalMs },
          now: () => Math.floor(Date.now() / 1000),
          ...(ledgerFile === undefined ? {} : { ledgerFile }),
        })
      },
      catch: sentence,
    }),
    (network) => Effect.sync(() => network.close()),
  )
})

/** Serves until its scope closes; fails when a ledger cannot be closed, a full disk say. */
export const localnet = Effect.fn("localnet")(function* (options: LocalnetOptions) {
  const closeIntervalMs = yield* Settings.localnetCloseIntervalMs
  const port = yield* Settings.localnetPort
  const network = yield* open(options, closeIntervalMs)
  return yield* Effect.callback<never, StartupFailure>((resume) => {
    const started = startLocalnetServer({
      network,
      hostname: "127.0.0.1",
      port,
      closeIntervalMs,
      onFault: (cause) => resume(Effect.fail(sentence(cause))),
    })
    started.then(
      (server) => console.log(`The embedded Stellar network listens on ${server.url}`),
      (cause) => resume(Effect.fail(sentence(cause))),
    )
    return Effect.promise(async () => {
      const server = await started.catch(() => undefined)
      await server?.stop()
    })
  })
})
