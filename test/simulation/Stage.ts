/**
 * The ledger of a run before its programs start: the issuer, the treasury, and customers of every kind; and the hands
 * of those who move money there beside the programs.
 */
import { Account, type Keypair, Operation, TransactionBuilder, xdr } from "@stellar/stellar-sdk"
import { type LocalNetwork, openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { asset, distribution, issuer, PASSPHRASE } from "../support/TestNetwork.ts"
import { GOOD, LINELESS, MEMO, NARROW } from "./Customers.ts"
import { BEGIN_MS, type World } from "./World.ts"

/** What the line of `NARROW` takes, in units: a few rewards. */
const NARROW_LIMIT = "0.8000000"

const keyOfAccount = (address: Keypair) =>
  xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: address.xdrPublicKey() }))

const keyOfLine = (holder: Keypair) =>
  xdr.LedgerKey.trustline(
    new xdr.LedgerKeyTrustLine({
      accountId: holder.xdrPublicKey(),
      asset: asset.toTrustLineXdrObject(),
    }),
  )

export interface Stage {
  readonly network: LocalNetwork
  /** Hands in operations of one account, with its next sequence on the ledger; nobody waits for them. */
  readonly submit: (source: Keypair, ...operations: ReadonlyArray<xdr.Operation>) => string
  /** Stroops of the asset; undefined without a line. */
  readonly balanceOf: (holder: Keypair) => bigint | undefined
}

/** "12.3456789" of as many stroops. */
export const unitsOf = (stroops: bigint): string =>
  `${stroops / 10_000_000n}.${String(stroops % 10_000_000n).padStart(7, "0")}`

export const makeStage = (world: World, operationsMax: number): Stage => {
  const network = openNetwork({
    settings: {
      passphrase: PASSPHRASE,
      retentionLedgers: 1000,
      operationsPerLedgerMax: operationsMax,
    },
    now: () => Math.floor(world.nowMs() / 1000),
  })
  const sequenceOf = (keys: Keypair): string => {
    const entry = network.entry(keyOfAccount(keys))?.entry.data
    if (entry?.type !== "account") throw new Error(`${keys.publicKey()} does not exist`)
    return entry.account.seqNum.toString()
  }
  return {
    network,
    submit: (source, ...operations) => {
      const builder = new TransactionBuilder(new Account(source.publicKey(), sequenceOf(source)), {
        fee: "100000",
        networkPassphrase: PASSPHRASE,
        timebounds: { minTime: 0, maxTime: 0 },
      })
      for (const operation of operations) builder.addOperation(operation)
      const transaction = builder.build()
      transaction.sign(source)
      return network.submit(transaction.toXDR()).status
    },
    balanceOf: (holder) => {
      const entry = network.entry(keyOfLine(holder))?.entry.data
      return entry?.type === "trustline" ? entry.trustLine.balance : undefined
    },
  }
}

/** Makes accounts, lines and a treasury, in the ledgers before the world's first moment. */
export const setStage = ({ network, submit }: Stage, treasuryStroops: bigint): void => {
  let secondsBefore = 40
  const close = () => {
    secondsBefore -= 5
    network.closeLedger(BEGIN_MS / 1000 - secondsBefore)
  }
  for (const keys of [issuer, distribution, ...GOOD, LINELESS, NARROW, MEMO]) {
    network.submit(network.friendbot(keys.publicKey()))
  }
  close()
  const trust = Operation.changeTrust({ asset })
  for (const keys of [distribution, ...GOOD]) submit(keys, trust)
  submit(NARROW, Operation.changeTrust({ asset, limit: NARROW_LIMIT }))
  submit(MEMO, trust, Operation.manageData({ name: "config.memo_required", value: "1" }))
  close()
  submit(
    issuer,
    Operation.payment({
      destination: distribution.publicKey(),
      asset,
      amount: unitsOf(treasuryStroops),
    }),
  )
  close()
}
