/** What a first start says: where everything listens, and three commands that show one reward's whole way. */
import type { DemoFile } from "./DemoFile.ts"

const json = (value: unknown) => `'${JSON.stringify(value)}'`

/** Commands to copy: issue a reward, see it confirmed, see the payment on the ledger. */
export const curlCommands = (demo: DemoFile, idempotencyKey: string): ReadonlyArray<string> => {
  const [wallet] = demo.wallets
  const reward = {
    idempotencyKey,
    walletAddress: wallet,
    amount: "25",
    campaignId: demo.campaignId,
  }
  return [
    `curl -s ${demo.apiUrl}/api/rewards/issue -H 'x-api-key: ${demo.apiKey}' -H 'content-type: application/json' -d ${json(reward)}`,
    `curl -s '${demo.apiUrl}/api/rewards/issuances?walletAddress=${wallet}&limit=1' -H 'x-api-key: ${demo.apiKey}'`,
    `curl -s '${demo.horizonUrl}/accounts/${wallet}/payments?order=desc&limit=1'`,
  ]
}

export const banner = (
  lines: ReadonlyArray<string>,
  demo: DemoFile | undefined,
  demoPath: string,
  idempotencyKey: string,
): string => {
  const listening = lines.map((line) => `  ${line}`)
  if (demo === undefined)
    return ["", "Nova Rewards is running.", "", ...listening, "", "Ctrl-C stops it.", ""].join("\n")
  const [issue = "", look = "", ledger = ""] = curlCommands(demo, idempotencyKey)
  return [
    "",
    "Nova Rewards is running.",
    "",
    ...listening,
    `  demo         ${demoPath}`,
    "",
    "Give a customer 25 NOVA:",
    issue,
    "",
    "See it confirmed, with the transaction's hash (a second later):",
    look,
    "",
    "See the payment on the ledger:",
    ledger,
    "",
    "Or a thousand at once, in another terminal: npm run demo",
    "Ctrl-C stops everything; the data stays.",
    "",
  ].join("\n")
}
