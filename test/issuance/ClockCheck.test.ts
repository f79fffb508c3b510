/** The clock of this machine against the ledger's. */
import { expect } from "bun:test"
import { Effect } from "effect"
import { checkClock } from "../../src/issuance/ClockCheck.ts"
import { tableScene } from "./TableScene.ts"

/** Lets the next ledger close so many seconds after what the worker takes for now. */
const aheadBy = (seconds: number) => (stage: Parameters<Parameters<typeof tableScene>[1]>[0]) =>
  Effect.gen(function* () {
    stage.closeThrough({ closeLedger: (at) => stage.network.closeLedger(at + seconds) })
    yield* stage.close
    yield* checkClock(stage.network.latest().sequence)
  })

tableScene("a clock that is half a minute behind the ledger's is worth a word", (stage) =>
  Effect.map(aheadBy(45)(stage), () =>
    expect(stage.alerts).toEqual([expect.stringContaining("clock is 45 s behind the ledger's")]),
  ),
)

tableScene("one that is seconds behind, or ahead, is not", (stage) =>
  Effect.gen(function* () {
    yield* aheadBy(20)(stage)
    yield* aheadBy(-100)(stage)
    expect(stage.alerts).toEqual([])
  }),
)
