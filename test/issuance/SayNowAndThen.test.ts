import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { LastSaid, makeLastSaid, sayNowAndThen } from "../../src/issuance/SayNowAndThen.ts"
import { effect } from "../support/it.ts"

const speaker = () => {
  const words: Array<string> = []
  const say = (trouble: string) =>
    sayNowAndThen(
      trouble,
      Effect.sync(() => {
        words.push(trouble)
      }),
    )
  return { words, say }
}

describe("a trouble that lasts", () => {
  effect("is said at once, and again after a minute; each by itself", () => {
    const { say, words } = speaker()
    return Effect.gen(function* () {
      const lastSaid = yield* makeLastSaid
      yield* Effect.gen(function* () {
        yield* say("a")
        yield* TestClock.adjust("30 seconds")
        yield* say("a")
        yield* say("b")
        expect(words).toEqual(["a", "b"])
        yield* TestClock.adjust("29999 millis")
        yield* say("a")
        expect(words).toEqual(["a", "b"])
        yield* TestClock.adjust("1 millis")
        yield* say("a")
        yield* say("b")
        expect(words).toEqual(["a", "b", "a"])
      }).pipe(Effect.provideService(LastSaid, lastSaid))
    })
  })

  effect("is said each time by whoever keeps no memory", () => {
    const { say, words } = speaker()
    return Effect.gen(function* () {
      yield* say("a")
      yield* say("a")
      expect(words).toEqual(["a", "a"])
    })
  })
})
