/** The operator's commands as processes, against a database and a network of their own: answers and exit codes. */
import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { startLocalnetServer } from "../../layers/localnet/LocalnetServer.ts"
import { accept, type TestNetwork } from "../support/IssuanceScene.ts"
import { start } from "../support/Processes.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { distribution, issuer, PASSPHRASE } from "../support/TestNetwork.ts"
import { rewards, settle } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import { recoverScene } from "./RecoverScene.ts"

const serve = (stage: TestNetwork) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      // Its own clock does not tick in time: the test closes the ledgers.
      startLocalnetServer({
        network: stage.network,
        hostname: "127.0.0.1",
        port: 0,
        closeIntervalMs: 600_000,
      }),
    ),
    (server) => Effect.promise(() => server.stop()),
  )

/** Runs `nova` with the settings of this stage, closing ledgers until it has ended. */
const makeNova = Effect.fnUntraced(function* (stage: TestNetwork) {
  const { url } = yield* serve(stage)
  const database = yield* TestDatabase
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: database.url,
    STELLAR_NETWORK: "custom",
    NETWORK_PASSPHRASE: PASSPHRASE,
    HORIZON_URL: url,
    SOROBAN_RPC_URL: `${url}/rpc`,
    NOVA_ASSET_ISSUER: issuer.publicKey(),
    NOVA_DISTRIBUTION_ADDRESS: distribution.publicKey(),
    NOVA_DISTRIBUTION_SECRET: distribution.secret(),
    NOVA_CHANNEL_SEED: "07".repeat(32),
    STELLAR_ENVELOPE_LEDGERS: "4",
  }
  const run = Effect.fnUntraced(function* (
    args: ReadonlyArray<string>,
    change: Record<string, undefined> = {},
  ) {
    const nova = yield* start([process.execPath, "--no-env-file", "src/main.ts", ...args], {
      env: { ...env, ...change },
    })
    const ended = yield* Effect.forkChild(nova.ended)
    while (ended.pollUnsafe() === undefined) {
      yield* Effect.promise(() => Bun.sleep(100))
      if (args[0] === "recover") yield* stage.close
    }
    return { code: yield* nova.ended, stdout: nova.stdout().trim(), stderr: nova.stderr().trim() }
  })
  const json = Effect.fnUntraced(function* (code: number, ...args: ReadonlyArray<string>) {
    const done = yield* run([...args, "--json"])
    expect([done.code, code === done.code ? "" : done.stderr]).toEqual([code, ""])
    return JSON.parse(done.stdout)
  })
  return { run, json }
})

recoverScene(
  "a restored database, from the dry run to equal books",
  (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [known] = yield* accept(rewards(1))
      const restore = yield* takeDump
      yield* accept(rewards(1))
      yield* settle(stage)
      yield* restore
      const { json, run } = yield* makeNova(stage)

      const dry = yield* json(1, "recover", "--dry-run")
      expect(dry).toMatchObject({ dryRun: true, unmatchedPayments: 2, held: 1 })
      const real = yield* json(1, "recover")
      expect(real).toMatchObject({ dryRun: false, unmatchedPayments: 2, unmatchedStroops: "2", held: 1 })

      const open = yield* json(1, "review")
      const [first, second] = open.payments
      expect(open.rows.map((row: { issuanceId: string }) => row.issuanceId)).toEqual([known])
      expect((yield* json(1, "reconcile")).differencesTotal).toBe(2)
      yield* json(0, "review", "match", `${first.txHash}:${first.operationIndex}`, known ?? "")
      yield* json(0, "review", "dismiss", `${second.txHash}:${second.operationIndex}`)
      const again = yield* run(["review", "dismiss", `${second.txHash}:${second.operationIndex}`])
      expect(again).toEqual({
        code: 2,
        stdout: "",
        stderr: `${second.txHash}:${second.operationIndex} was dismissed before.`,
      })
      expect(yield* run(["review"])).toEqual({ code: 0, stdout: "Nothing waits for a review.", stderr: "" })

      expect(yield* json(0, "reconcile")).toMatchObject({ equal: 1, equalStroops: "1", dismissed: 1 })
      yield* sql`UPDATE campaigns SET spent_stroops = spent_stroops + 1`
      const different = yield* run(["reconcile"])
      expect(different.code).toBe(1)
      // 1 stroop was paid by the rows' word.
      expect(different.stdout).toMatch(
        /budget {2}cmp_\w+\n {2}expected {2}reserved 0\.0000000, spent 0\.0000001\n {2}found {5}reserved 0\.0000000, spent 0\.0000002/,
      )
    }),
  undefined,
  undefined,
  120_000,
)

recoverScene(
  "channels, treasury, pause; and what was not done has exit code 2 and one sentence",
  (stage) =>
    Effect.gen(function* () {
      const { json, run } = yield* makeNova(stage)
      expect((yield* json(0, "channels")).channels.length).toBe(4)
      yield* json(0, "channels", "quarantine", "2", "--reason", "looking at it")
      const listed = yield* run(["channels"])
      expect(listed.code).toBe(1)
      expect(listed.stdout).toMatch(/^2 {3}quarantined .*looking at it$/m)
      expect(yield* json(0, "channels", "release", "2")).toMatchObject({ reasonBefore: "looking at it" })
      expect(yield* run(["channels", "release", "2"])).toEqual({
        code: 2,
        stdout: "",
        stderr: "Channel 2 is open already.",
      })
      expect(yield* json(0, "treasury", "status")).toMatchObject({
        balanceStroops: "1000000000000",
        freeStroops: "1000000000000",
      })
      yield* json(0, "pause", "--reason", "stock-taking")
      expect(yield* json(0, "resume")).toEqual({ paused: false, reasonBefore: "stock-taking" })
      const unset = yield* run(["reconcile"], { DATABASE_URL: undefined })
      expect([unset.code, unset.stdout]).toEqual([2, ""])
      expect(unset.stderr).toContain("DATABASE_URL must be set")
      expect(unset.stderr.split("\n").length).toBe(1)
      expect((yield* run(["reconcile", "--since-ledger", "0"])).code).toBe(2)
      expect((yield* run(["review", "match", "abc", "def"])).code).toBe(2)
    }),
  undefined,
  undefined,
  120_000,
)
