/** What an upkeep transaction takes, by hand; and how promises lessen what there is. */
import { describe, expect, test } from "bun:test"
import { Account, Asset, Keypair, Operation, TransactionBuilder, type xdr } from "@stellar/stellar-sdk"
import { leftForUpkeep, unpromised, xlmTakenBy } from "../../src/issuance/XlmPromises.ts"

const { distribution, one, two, issuer } = {
  distribution: Keypair.random().publicKey(),
  one: Keypair.random().publicKey(),
  two: Keypair.random().publicKey(),
  issuer: Keypair.random().publicKey(),
}

const envelopeOf = (...operations: ReadonlyArray<xdr.Operation>) => {
  const builder = new TransactionBuilder(new Account(distribution, "1"), {
    fee: "100",
    networkPassphrase: "any",
    timebounds: { minTime: 0, maxTime: 0 },
  })
  for (const operation of operations) builder.addOperation(operation)
  return builder.build().toXDR()
}

const creation = (address: string) => [
  Operation.beginSponsoringFutureReserves({ sponsoredId: address }),
  Operation.createAccount({ destination: address, startingBalance: "5" }),
  Operation.endSponsoringFutureReserves({ source: address }),
]

describe("an upkeep transaction takes", () => {
  test("for two channels 5 XLM each, 1 XLM of sponsored reserve each (CAP-33), and the fee of six operations", () => {
    expect(xlmTakenBy(envelopeOf(...creation(one), ...creation(two)))).toBe(12_0000600n)
  })
  test("for a top-up its amount and fee; another asset is no XLM", () => {
    const pay = (asset: Asset) => Operation.payment({ destination: one, asset, amount: "4.5" })
    expect(xlmTakenBy(envelopeOf(pay(Asset.native()), pay(new Asset("NOVA", issuer))))).toBe(4_5000200n)
  })
  test("for a balance that is taken back its fee alone", () => {
    const balanceId = `00000000${"ab".repeat(32)}`
    expect(xlmTakenBy(envelopeOf(Operation.claimClaimableBalance({ balanceId })))).toBe(100n)
  })
})

describe("what is promised to nobody", () => {
  const promises = { balancesStroops: 30n, upkeepStroops: 5n, settledLedger: 60 }
  test("is what there is, less both; it may be negative", () => {
    expect(unpromised({ availableStroops: 40n, latestLedger: 60 }, promises)).toBe(5n)
    expect(unpromised({ availableStroops: 34n, latestLedger: 61 }, promises)).toBe(-1n)
  })
  test("is unknown by an answer that is older than what is settled", () => {
    expect(unpromised({ availableStroops: 40n, latestLedger: 59 }, promises)).toBeUndefined()
  })
  test("is nothing for another upkeep transaction while one is open", () => {
    const xlm = { availableStroops: 40n, latestLedger: 60 }
    expect(leftForUpkeep(xlm, promises)).toBeUndefined()
    expect(leftForUpkeep(xlm, { ...promises, upkeepStroops: 0n })).toBe(10n)
  })
})
