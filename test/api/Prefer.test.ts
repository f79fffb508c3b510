import { expect, it } from "bun:test"
import { preferredWaitS } from "../../src/api/Prefer.ts"

// Forms of RFC 7240, sections 2 and 4.3.
const cases: ReadonlyArray<readonly [header: string | undefined, seconds: number | undefined]> = [
  [undefined, undefined],
  ["", undefined],
  ["wait=10", 10],
  ["Wait=10", 10],
  ['wait="10"', 10],
  ["wait = 10", 10],
  ["respond-async, wait=10", 10],
  ["wait=10;foo=bar, respond-async", 10],
  ["wait=5, wait=10", 5],
  ["wait=0", 1],
  ["wait=60", 60],
  ["wait=61", 60],
  ["wait=99999999999999999999", 60],
  ["wait", undefined],
  ["wait=", undefined],
  ["wait=ten", undefined],
  ["wait=-1", undefined],
  ["wait=1.5", undefined],
  ["await=10", undefined],
  ["return=minimal", undefined],
]

for (const [header, seconds] of cases) {
  it(`Prefer: ${header} waits ${seconds ?? "as long as when nothing is asked for"}`, () => {
    expect(preferredWaitS(header)).toBe(seconds)
  })
}
