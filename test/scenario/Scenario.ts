/** All chapters, against whatever network they are given. */
import { accounts } from "./Accounts.ts"
import { authorization } from "./Authorization.ts"
import type { Chapter, StepResult } from "./Chapter.ts"
import { claimableBalances } from "./ClaimableBalances.ts"
import { makeClient } from "./Client.ts"
import { envelopes } from "./Envelopes.ts"
import { feeBumps } from "./FeeBumps.ts"
import { settings } from "./Settings.ts"
import { sponsorship } from "./Sponsorship.ts"
import type { Target } from "./Target.ts"
import { trust } from "./Trust.ts"

export const CHAPTERS: ReadonlyArray<Chapter> = [
  accounts,
  trust,
  envelopes,
  sponsorship,
  settings,
  feeBumps,
  claimableBalances,
  authorization,
]

/** A real network closes a ledger in five seconds: chapters wait side by side, within what its servers allow. */
const SIDE_BY_SIDE = 4

/** Plays every chapter; the results come in their order. */
export const playScenario = async (target: Target): Promise<ReadonlyArray<StepResult>> => {
  const client = makeClient(target)
  const played: Array<ReadonlyArray<StepResult>> = []
  let next = 0
  const player = async (): Promise<void> => {
    while (next < CHAPTERS.length) {
      const at = next++
      const chapter = CHAPTERS[at]
      if (chapter !== undefined) played[at] = await chapter.play(client)
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, player))
  return played.flat()
}
