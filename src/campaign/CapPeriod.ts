/**
 * The periods that a wallet's cap counts in. All of them are of UTC, whatever the customer's zone is: one moment is in
 * one period for everybody, and no period is an hour longer than another.
 */
import { Schema } from "effect"

export const CapPeriod = Schema.Literals(["day", "week", "month", "campaign"])
export type CapPeriod = typeof CapPeriod.Type

/** Days since Monday, the first day of a week (ISO 8601). */
const daysSinceMonday = (at: Date): number => (at.getUTCDay() + 6) % 7

/**
 * The first moment of the period that holds `at`: midnight of the day, of its week's Monday, or of the first of its
 * month. A whole campaign is one period, which begins with it.
 */
export const capPeriodStart = (period: CapPeriod, at: Date, campaignStartsAt: Date): Date => {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()]
  switch (period) {
    case "day":
      return new Date(Date.UTC(year, month, day))
    case "week":
      return new Date(Date.UTC(year, month, day - daysSinceMonday(at)))
    case "month":
      return new Date(Date.UTC(year, month, 1))
    case "campaign":
      return campaignStartsAt
  }
}
