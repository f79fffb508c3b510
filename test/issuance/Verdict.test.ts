import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { decide, judge, judgeLost, type LookUp, type SignedEnvelope } from "../../src/issuance/Verdict.ts"

const envelope = (
  hash: string,
  ledgerSigned: number,
  ledgerMax: number,
  expired = false,
): SignedEnvelope => ({
  hash,
  ledgerSigned,
  ledgerMax,
  expired,
})

const SEQUENCE = 1000n

describe("decide", () => {
  const cases: ReadonlyArray<
    readonly [
      name: string,
      latestLedger: number,
      sequence: bigint | undefined,
      envelopes: ReadonlyArray<SignedEnvelope>,
      tag: string,
    ]
  > = [
    ["nothing signed yet: build", 50, 999n, [], "Build"],
    ["alive in the last ledger that may hold it: wait", 60, 999n, [envelope("a", 50, 62)], "Wait"],
    // ledgerBounds.maxLedger is exclusive (CAP-21): the next ledger, 62, is the first that cannot hold it.
    ["the next ledger is out of bounds: rebuild", 61, 999n, [envelope("a", 50, 62)], "Rebuild"],
    ["one of two alive: wait", 61, 999n, [envelope("a", 50, 62), envelope("b", 55, 67)], "Wait"],
    [
      "an expired one counts no more: wait for the other",
      70,
      999n,
      [envelope("a", 50, 62, true), envelope("b", 65, 77)],
      "Wait",
    ],
    ["all expired and marked: build", 70, 999n, [envelope("a", 50, 62, true)], "Build"],
    ["sequence consumed by one of ours: look up", 55, 1000n, [envelope("a", 50, 62)], "LookUp"],
    ["sequence passed: look up", 55, 1001n, [envelope("a", 50, 62)], "LookUp"],
    ["consumed beats expired: look up", 90, 1000n, [envelope("a", 50, 62)], "LookUp"],
    [
      "no account, and alive in the last ledger that may hold it: wait",
      60,
      undefined,
      [envelope("a", 50, 62)],
      "Wait",
    ],
    [
      "no account, and the next ledger is out of bounds: lost",
      61,
      undefined,
      [envelope("a", 50, 62)],
      "Lost",
    ],
    [
      "no account, and one of two alive: wait",
      65,
      undefined,
      [envelope("a", 50, 62), envelope("b", 55, 67)],
      "Wait",
    ],
    ["no account, all marked: lost", 55, undefined, [envelope("a", 50, 62, true)], "Lost"],
    ["no account, and nothing was ever signed: lost", 55, undefined, [], "Lost"],
  ]
  for (const [name, latestLedger, sequence, envelopes, tag] of cases) {
    test(name, () =>
      expect(decide({ latestLedger, sequence, sequenceLedger: undefined }, SEQUENCE, envelopes)._tag).toBe(
        tag as "Build",
      ),
    )
  }

  test("never builds while an envelope could still apply in the next ledger", () => {
    const anyEnvelope = fc.record({
      hash: fc.string(),
      ledgerSigned: fc.integer({ min: 1, max: 100 }),
      ledgerMax: fc.integer({ min: 1, max: 120 }),
      expired: fc.constant(false),
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.array(anyEnvelope, { minLength: 1 }),
        (ledger, envelopes) => {
          const decision = decide(
            { latestLedger: ledger, sequence: 999n, sequenceLedger: undefined },
            SEQUENCE,
            envelopes,
          )
          const mayApply = envelopes.some(({ ledgerMax }) => ledger + 1 < ledgerMax)
          expect(decision._tag).toBe(mayApply ? "Wait" : "Rebuild")
        },
      ),
    )
  })
})

describe("judge", () => {
  const view = { latestLedger: 60, sequence: 1000n, sequenceLedger: 57 }
  const signed = [envelope("a", 50, 62), envelope("b", 55, 67)]
  const lookUp = (hash: string, found: boolean, latestLedger = 60, oldestLedger = 10): LookUp => ({
    hash,
    found,
    latestLedger,
    oldestLedger,
  })

  test("the one that was found settles", () => {
    expect(judge(view, signed, [lookUp("a", false), lookUp("b", true)])).toEqual({
      _tag: "Settle",
      hash: "b",
    })
  })
  test("a node that is not well beyond the ledger of the change decides nothing", () => {
    expect(judge(view, signed, [lookUp("a", false), lookUp("b", false, 59)])).toEqual({
      _tag: "Undecided",
      reason: "node_lags",
    })
  })
  test("a history that begins after the first ledger that could hold ours decides nothing", () => {
    expect(judge(view, signed, [lookUp("a", false, 60, 52), lookUp("b", false, 60, 52)])).toEqual({
      _tag: "Undecided",
      reason: "history_incomplete",
    })
  })
  test("a look-up that is missing decides nothing", () => {
    expect(judge(view, signed, [lookUp("a", false)])).toEqual({ _tag: "Undecided", reason: "node_lags" })
  })
  test("none of ours in a complete history: an unknown hand", () => {
    expect(judge(view, signed, [lookUp("a", false), lookUp("b", false)])).toEqual({ _tag: "UnknownHand" })
  })
})

describe("judgeLost", () => {
  // Signed at 50 and 55; the last ledgers that may hold them are 61 and 66.
  const signed = [envelope("a", 50, 62), envelope("b", 55, 67)]
  const lookUp = (hash: string, found: boolean, latestLedger = 69, oldestLedger = 51): LookUp => ({
    hash,
    found,
    latestLedger,
    oldestLedger,
  })

  test("the one that was found settles, whatever else is known", () => {
    expect(judgeLost(signed, [lookUp("b", true, 60, 59)])).toEqual({ _tag: "Settle", hash: "b" })
  })
  test("none in all ledgers that could hold one, and three more: never applied", () => {
    expect(judgeLost(signed, [lookUp("b", false), lookUp("a", false, 64)])).toEqual({ _tag: "NeverApplied" })
  })
  test("a node that is not well beyond the last ledger decides nothing, for either of them", () => {
    const lags = { _tag: "Undecided", reason: "node_lags" } as const
    expect(judgeLost(signed, [lookUp("b", false, 68), lookUp("a", false)])).toEqual(lags)
    expect(judgeLost(signed, [lookUp("b", false), lookUp("a", false, 63)])).toEqual(lags)
  })
  test("a history that begins after the first ledger that could hold ours decides nothing", () => {
    expect(judgeLost(signed, [lookUp("b", false), lookUp("a", false, 69, 52)])).toEqual({
      _tag: "Undecided",
      reason: "history_incomplete",
    })
  })
  test("a look-up that is missing decides nothing", () => {
    expect(judgeLost(signed, [lookUp("b", false)])).toEqual({ _tag: "Undecided", reason: "node_lags" })
  })
  test("where nothing was ever signed, nothing applied", () => {
    expect(judgeLost([], [])).toEqual({ _tag: "NeverApplied" })
  })
})
