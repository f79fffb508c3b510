/** A chapter of the scenario: a scene, and steps that play in it one after the other. */
import { deepStrictEqual } from "node:assert"
import type { Client } from "./Client.ts"

export interface Step<Scene> {
  readonly name: string
  /** Where what is expected is written: stellar-core's source, a CAP, or a page of documentation. */
  readonly source: string
  /** Rejects where the network did something else. */
  readonly play: (client: Client, scene: Scene) => Promise<void>
}

export interface StepResult {
  readonly chapter: string
  readonly name: string
  readonly source: string
  readonly ms: number
  /** Undefined: as expected. */
  readonly failure: string | undefined
}

export interface Chapter {
  readonly name: string
  readonly play: (client: Client) => Promise<ReadonlyArray<StepResult>>
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A scene that cannot be set fails the chapter's first step, and the others are not played. */
export const chapter = <Scene>(
  name: string,
  open: (client: Client) => Promise<Scene>,
  steps: ReadonlyArray<Step<Scene>>,
): Chapter => ({
  name,
  play: async (client) => {
    const results: Array<StepResult> = []
    const record = async (step: Pick<StepResult, "name" | "source">, run: () => Promise<void>) => {
      const startedMs = performance.now()
      const failure = await run().then(() => undefined, messageOf)
      const ms = Math.round(performance.now() - startedMs)
      results.push({ chapter: name, name: step.name, source: step.source, ms, failure })
      return failure === undefined
    }
    const opened: Array<Scene> = []
    const isSet = await record(
      { name: "the scene is set", source: "friendbot, create_account" },
      async () => {
        opened.push(await open(client))
      },
    )
    if (!isSet) return results
    for (const scene of opened) {
      for (const step of steps) await record(step, () => step.play(client, scene))
    }
    return results
  },
})

/** Fails with both values in the message. */
export const same = (actual: unknown, expected: unknown, what: string): void => {
  try {
    deepStrictEqual(actual, expected)
  } catch {
    throw new Error(`${what}: expected ${inspect(expected)}, not ${inspect(actual)}`)
  }
}

export const holds = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(`it does not hold: ${what}`)
}

const inspect = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}` : part)) ?? "undefined"
