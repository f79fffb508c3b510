import { expect, it } from "bun:test"
import { capPeriodStart } from "../../src/campaign/CapPeriod.ts"

const startsAt = new Date("2026-01-15T08:30:00Z")

// 21 November 2026 is a Saturday; 1 January 2027 a Friday, in the week of Monday 28 December 2026.
const cases: ReadonlyArray<readonly [period: "day" | "week" | "month", at: string, start: string]> = [
  ["day", "2026-11-21T00:00:00.000Z", "2026-11-21T00:00:00.000Z"],
  ["day", "2026-11-21T23:59:59.999Z", "2026-11-21T00:00:00.000Z"],
  ["day", "2026-11-22T01:30:00+02:00", "2026-11-21T00:00:00.000Z"],
  ["week", "2026-11-21T12:00:00Z", "2026-11-16T00:00:00.000Z"],
  ["week", "2026-11-22T23:59:59.999Z", "2026-11-16T00:00:00.000Z"],
  ["week", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00.000Z"],
  ["week", "2027-01-01T00:00:00Z", "2026-12-28T00:00:00.000Z"],
  ["month", "2026-11-30T23:59:59.999Z", "2026-11-01T00:00:00.000Z"],
  ["month", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00.000Z"],
  ["month", "2026-12-01T00:30:00+01:00", "2026-11-01T00:00:00.000Z"],
]

for (const [period, at, start] of cases) {
  it(`the ${period} of ${at} began at ${start}`, () => {
    expect(capPeriodStart(period, new Date(at), startsAt).toISOString()).toBe(start)
  })
}

it("a whole campaign is one period, whatever the moment", () => {
  for (const at of ["2026-01-15T08:30:00Z", "2031-05-05T05:05:05Z"])
    expect(capPeriodStart("campaign", new Date(at), startsAt)).toEqual(startsAt)
})
