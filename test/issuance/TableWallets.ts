/** Many wallets on the test network, each with its own account and trustline, made by few transactions. */
import { type Keypair, Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { type TestNetwork, wallets } from "../support/IssuanceScene.ts"
import { asset, keypairOf } from "../support/TestNetwork.ts"
import { actAs } from "./TableScene.ts"

/** A transaction has 20 signatures at most: the payer's and these. */
const SIGNERS_MAX = 19

/** Accounts with trustlines; takes a ledger for each nineteen of them. */
export const makeWallets = Effect.fnUntraced(function* (stage: TestNetwork, name: string, count: number) {
  const made = Array.from({ length: count }, (_, index) => keypairOf(`${name} ${index}`))
  for (let from = 0; from < count; from += SIGNERS_MAX) {
    const some = made.slice(from, from + SIGNERS_MAX)
    actAs(
      stage,
      wallets.trusting,
      some,
      ...some.flatMap((wallet) => [
        Operation.createAccount({ destination: wallet.publicKey(), startingBalance: "5" }),
        Operation.changeTrust({ source: wallet.publicKey(), asset }),
      ]),
    )
    yield* stage.close
  }
  return made
})

/** Each gives up its trustline, in its own transaction. */
export const removeLines = (stage: TestNetwork, some: ReadonlyArray<Keypair>) => {
  for (const wallet of some) stage.submit(wallet, Operation.changeTrust({ asset, limit: "0" }))
}
