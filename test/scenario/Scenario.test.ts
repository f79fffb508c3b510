/** The scenario against the embedded network: it knows it as it knows any network, by its addresses. */
import { expect, test } from "bun:test"
import { withLocalTarget } from "./LocalTarget.ts"
import { CHAPTERS, playScenario } from "./Scenario.ts"
import { scenarioTable } from "./Table.ts"

test("every step of the scenario", async () => {
  const results = await withLocalTarget(playScenario)
  const failed = results.filter(({ failure }) => failure !== undefined)
  expect(scenarioTable(failed)).toBe("")
  expect(new Set(results.map(({ chapter }) => chapter)).size).toBe(CHAPTERS.length)
  expect(results.length).toBeGreaterThan(50)
}, 120_000)

test("a network that is not there fails every chapter, and says why", async () => {
  const nowhere = "http://127.0.0.1:9"
  const results = await playScenario({
    name: "nowhere",
    horizonUrl: nowhere,
    rpcUrl: nowhere,
    passphrase: "Nowhere ; 2026",
    friendbotUrl: `${nowhere}/friendbot`,
  })
  expect(results.map(({ chapter }) => chapter)).toEqual(CHAPTERS.map(({ name }) => name))
  expect(results.every(({ failure }) => failure !== undefined)).toBe(true)
})
