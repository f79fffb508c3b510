/** The older ledger that a lagging node tells is the one that was: what was read then is what is read now. */
import { expect, test } from "bun:test"
import { Asset, Claimant, Keypair, Operation } from "@stellar/stellar-sdk"
import { laggingView } from "../../../layers/localnet/faults/LaggingView.ts"
import type { Network, StoredEntry } from "../../../layers/localnet/Network.ts"
import { accountKeyOf, openTestNetwork } from "../TestNetwork.ts"

type Readable = Pick<
  Network,
  "entriesOf" | "latest" | "entry" | "trustlines" | "dataEntries" | "transactionsOf" | "ledger"
>

const text = (stored: StoredEntry | undefined) =>
  stored === undefined ? "none" : `${stored.lastModifiedLedger} ${stored.entry.toXdr("base64")}`

/** Everything that can be read about the people. */
const photograph = (network: Readable, people: ReadonlyArray<Keypair>) => ({
  sequence: network.latest().sequence,
  hash: network.latest().hash,
  accounts: network.entriesOf("account").map(text).sort(),
  data: network.entriesOf("data").map(text).sort(),
  lines: network.entriesOf("trustline").map(text).sort(),
  claimable: network.entriesOf("claimableBalance").map(text).sort(),
  next: network.ledger(network.latest().sequence + 1)?.hash,
  people: people.map((keys) => ({
    account: text(network.entry(accountKeyOf(keys))),
    trustlines: network.trustlines(keys.publicKey()).map(text),
    data: network.dataEntries(keys.publicKey()).map(text),
    transactions: network.transactionsOf(keys.publicKey()).map(({ hash }) => hash),
  })),
})

test("each of the last ten ledgers, entry for entry", () => {
  const { network, root, fund, run, close } = openTestNetwork()
  const [issuer, one, other] = fund(3)
  if (issuer === undefined || one === undefined || other === undefined) throw new Error("nobody")
  const newcomer = Keypair.fromRawEd25519Seed(Buffer.alloc(32, 99))
  const people = [root, issuer, one, other, newcomer]
  const [gold, silver] = [new Asset("GOLD", issuer.publicKey()), new Asset("SILVER", issuer.publicKey())]
  const claimants = [new Claimant(other.publicKey())]
  const pay = (to: Keypair, asset: Asset, amount: string) =>
    Operation.payment({ destination: to.publicKey(), asset, amount })
  const steps: ReadonlyArray<() => void> = [
    () => run(one, [Operation.changeTrust({ asset: gold })]),
    () =>
      run(one, [Operation.changeTrust({ asset: silver }), Operation.manageData({ name: "b", value: "1" })]),
    () => run(issuer, [pay(one, gold, "5"), pay(one, silver, "7")]),
    () => run(one, [Operation.createAccount({ destination: newcomer.publicKey(), startingBalance: "9" })]),
    () => run(one, [pay(issuer, silver, "7"), Operation.changeTrust({ asset: silver, limit: "0" })]),
    () =>
      run(one, [
        Operation.manageData({ name: "a", value: "2" }),
        Operation.manageData({ name: "b", value: null }),
      ]),
    () => close(),
    () => run(one, [Operation.createClaimableBalance({ asset: gold, amount: "1", claimants })]),
    () => run(one, [pay(other, gold, "1")]),
    () => run(newcomer, [Operation.setOptions({ homeDomain: "nova.example" })]),
  ]
  const album = steps.map((step) => {
    step()
    return { ...photograph(network, people), next: undefined }
  })
  for (let behind = 0; behind < album.length; behind++) {
    const view = laggingView(network, () => behind)
    expect(photograph(view, people)).toEqual(album.at(-1 - behind) as never)
  }
})

test("listeners are told of each ledger once, when it comes into view", () => {
  const { network, close } = openTestNetwork()
  let behind = 0
  const view = laggingView(network, () => behind)
  const told: Array<number> = []
  view.onClose(({ sequence }) => told.push(sequence))
  const first = network.latest().sequence + 1
  const step = () => {
    close()
    view.catchUp()
  }
  step()
  behind = 2
  step()
  step()
  expect(told).toEqual([first])
  step()
  expect(told).toEqual([first, first + 1])
  behind = 0
  step()
  expect(told).toEqual([first, first + 1, first + 2, first + 3, first + 4])
})
