/** `nova demo` */
import { Console, Effect, Layer, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { openHome, readText } from "../../layers/embedded/Home.ts"
import * as Live from "../../layers/Live.ts"
import { StartupFailure } from "../../layers/platform/StartupFailure.ts"
import { demo } from "../demo/Demo.ts"
import { decodeDemoFile } from "../demo/DemoFile.ts"
import { formatReport } from "../demo/DemoReport.ts"

const count = (name: string, about: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(
    Flag.withDescription(`${about}, ${minimum} to ${maximum}`),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum, maximum }))),
  )

export const demoCommand = Command.make(
  "demo",
  {
    rewards: count("rewards", "How many to issue", 1, 100_000).pipe(Flag.withDefault(1000)),
    repeats: count("repeats", "How many to send twice", 0, 100_000).pipe(Flag.withDefault(100)),
    concurrency: count("concurrency", "Requests at once", 1, 256).pipe(Flag.withDefault(32)),
  },
  Effect.fnUntraced(
    function* ({ concurrency, repeats, rewards }) {
      const home = yield* openHome
      const text = yield* readText(home.demoFile)
      if (Option.isNone(text)) {
        return yield* new StartupFailure({
          message: `There is no ${home.demoFile}: start the system first, with npm start in another terminal.`,
        })
      }
      const file = yield* decodeDemoFile(text.value)
      const plan = { rewards, repeats: Math.min(repeats, rewards), concurrency, out: process.stdout }
      const report = yield* demo(file, plan)
      yield* Console.log(`\n${formatReport(report)}\n`)
    },
    Effect.provide(Layer.mergeAll(Live.httpClient, Live.random)),
  ),
).pipe(Command.withDescription("Issues rewards against a running `nova all` and says what came of them"))
