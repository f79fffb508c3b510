/** What `nova localnet` says at its start: what it is, what it is not, and how to use it. */
export interface LocalnetFacts {
  readonly url: string
  readonly passphrase: string
  readonly closeIntervalMs: number
  readonly operationsPerLedgerMax: number
  /** Undefined: in memory. */
  readonly ledgerFile: string | undefined
  readonly rootAddress: string
  readonly latestLedger: number
  /** Undefined: none are injected. */
  readonly faults: { readonly profile: string; readonly seed: string } | undefined
}

/** A first program with the official SDK, to copy. */
export const sdkSnippet = (url: string): ReadonlyArray<string> => [
  `import { Horizon, Keypair, rpc } from "@stellar/stellar-sdk"`,
  `const horizon = new Horizon.Server("${url}", { allowHttp: true })`,
  `const node = new rpc.Server("${url}/rpc", { allowHttp: true })`,
  `const keys = Keypair.random()`,
  `await horizon.friendbot(keys.publicKey()).call()`,
  `console.log((await horizon.loadAccount(keys.publicKey())).balances, await node.getLatestLedger())`,
]

const faultLines = ({ faults }: LocalnetFacts): ReadonlyArray<string> =>
  faults === undefined
    ? []
    : [
        `  faults       profile ${faults.profile}, seed ${faults.seed}: the same two give the same faults again`,
      ]

export const localnetScreen = (facts: LocalnetFacts): string =>
  [
    "",
    "An embedded Stellar network: real XDR, hashes, signatures, fees, sequences and result codes, on one machine.",
    "It is not consensus: one process decides, and it is trusted. It meters no resources, has no DEX (offers, paths,",
    "pools) and no contracts yet; what it does not support, it refuses. Its lumens are worth nothing.",
    "",
    `  Horizon      ${facts.url}`,
    `  Stellar RPC  ${facts.url}/rpc`,
    `  friendbot    ${facts.url}/friendbot`,
    `  passphrase   ${facts.passphrase}`,
    `  ledgers      one every ${facts.closeIntervalMs} ms, of ${facts.operationsPerLedgerMax} operations at most`,
    `  state        ${facts.ledgerFile ?? "in memory: gone at the end"} (ledger ${facts.latestLedger})`,
    `  root         ${facts.rootAddress} (its secret: Keypair.master(passphrase))`,
    ...faultLines(facts),
    "",
    "10,000 XLM for an account of yours:",
    `curl -s '${facts.url}/friendbot?addr=G...'`,
    "",
    "The official SDK:",
    ...sdkSnippet(facts.url),
    "",
    "Ctrl-C stops it.",
    "",
  ].join("\n")
