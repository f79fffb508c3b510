/** `nova localnet`: what it says is what it does. The commands that it prints are run as printed. */
import { describe, expect } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Keypair } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { live } from "../support/it.ts"
import { checkout, eventually, start, temporaryDirectory } from "../support/Processes.ts"

const nova = (...args: ReadonlyArray<string>) =>
  start([process.execPath, "--no-env-file", "src/main.ts", "localnet", "--port", "0", ...args])

const urlIn = (text: string) => /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? ""

const json = (url: string) => Effect.promise(async () => (await fetch(url)).json())

describe("nova localnet", () => {
  live("prints a curl command and a program with the SDK that work as printed", () =>
    Effect.gen(function* () {
      const localnet = yield* nova(
        "--close-interval-ms",
        "50",
        "--profile",
        "testnet",
        "--passphrase",
        "Mine ; 1",
      )
      yield* eventually("the screen", () => localnet.stdout().includes("Ctrl-C stops it."))
      const lines = localnet.stdout().split("\n")
      const root = yield* json(`${urlIn(localnet.stdout())}/`)
      expect(root).toMatchObject({ network_passphrase: "Mine ; 1" })
      expect(localnet.stdout()).toContain(Keypair.master("Mine ; 1").publicKey())
      expect(localnet.stdout()).toContain("200 operations at most")

      const curl = lines
        .find((line) => line.startsWith("curl "))
        ?.replace("G...", Keypair.random().publicKey())
      const asked = yield* start(["sh", "-c", curl ?? "false"])
      expect(yield* asked.ended).toBe(0)
      expect(JSON.parse(asked.stdout())).toMatchObject({ successful: true })

      const from = lines.findIndex((line) => line.startsWith("import "))
      const program = lines.slice(from, from + 6).join("\n")
      const directory = yield* temporaryDirectory
      // Beside the checkout's packages, where a developer's program would have its own.
      const sdk = join(checkout, "node_modules/@stellar/stellar-sdk")
      writeFileSync(join(directory, "first.ts"), program.replace("@stellar/stellar-sdk", sdk))
      const ran = yield* start([process.execPath, join(directory, "first.ts")])
      expect([yield* ran.ended, ran.stderr()]).toEqual([0, ""])
      expect(ran.stdout()).toContain("10000.0000000")
      localnet.child.kill("SIGTERM")
      expect(yield* localnet.ended).toBe(0)
    }),
  )

  live("keeps its ledger in a file, over a stop and a start", () =>
    Effect.gen(function* () {
      const ledgerFile = join(yield* temporaryDirectory, "deep", "ledger")
      const keys = Keypair.random()
      const once = Effect.fnUntraced(function* (path: string) {
        const localnet = yield* nova("--quiet", "--close-interval-ms", "50", "--ledger-file", ledgerFile)
        yield* eventually("its line", () => urlIn(localnet.stdout()) !== "")
        const answer = yield* json(urlIn(localnet.stdout()) + path)
        localnet.child.kill("SIGTERM")
        expect(yield* localnet.ended).toBe(0)
        expect(localnet.stdout()).toMatch(
          /^The embedded Stellar network listens on http:\/\/127\.0\.0\.1:\d+\n$/,
        )
        return answer
      }, Effect.scoped)
      expect(yield* once(`/friendbot?addr=${keys.publicKey()}`)).toMatchObject({ successful: true })
      expect(yield* once(`/accounts/${keys.publicKey()}`)).toMatchObject({ id: keys.publicKey() })
    }),
  )

  live("injects faults by seed, and prints the plan that they are", () =>
    Effect.gen(function* () {
      const plans: Array<string> = []
      for (const seed of ["7", "7", "8"]) {
        const localnet = yield* nova("--quiet", "--fault-seed", seed, "--fault-profile", "ledger")
        yield* eventually("its line", () => urlIn(localnet.stdout()) !== "")
        plans.push(/^fault plan (.*)$/m.exec(localnet.stdout())?.[1] ?? "")
      }
      const [first, same, other] = plans
      expect(JSON.parse(first ?? "")).toMatchObject({ seed: "7", profile: "ledger", repeats: true })
      expect(same).toBe(first as string)
      expect(other).not.toBe(first as string)
    }),
  )

  live("says what is wrong with an option, and starts nothing", () =>
    Effect.gen(function* () {
      for (const [option, value, said] of [
        ["--port", "70000", "a port, 0 to 65535"],
        ["--close-interval-ms", "0", "1 or more"],
        ["--profile", "devnet", '"mainnet" | "testnet"'],
      ] as const) {
        const localnet = yield* start([process.execPath, "src/main.ts", "localnet", option, value])
        expect(yield* localnet.ended).not.toBe(0)
        expect(localnet.stderr()).toContain(said)
      }
    }),
  )
})
