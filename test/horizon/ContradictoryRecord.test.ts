/** Who was paid hangs on whether a transaction succeeded: Horizon's word for it must be what the ledger's result says. */
import { expect } from "bun:test"
import { xdr } from "@stellar/stellar-sdk"
import { Effect, Option } from "effect"
import { make } from "../../layers/horizon/HorizonAnswers.ts"
import { effect } from "../support/it.ts"

const resultOf = (result: xdr.TransactionResultResult): string =>
  new xdr.TransactionResult({ feeCharged: 100n, result, ext: xdr.TransactionResultExt.v0() }).toXdr("base64")

const page = { cursor: Option.none(), limit: 10, order: "asc" } as const

/** The transactions of an account whose only one is called `successful`. */
const readOne = (successful: boolean, result_xdr: string) => {
  const record = {
    paging_token: "4294967296",
    hash: "ab".repeat(32),
    ledger: 1,
    successful,
    envelope_xdr: "AAAA",
    result_xdr,
  }
  return make(() => Effect.succeed({ status: 200, body: { _embedded: { records: [record] } } })).transactions(
    "GABC",
    page,
  )
}

const paid = resultOf(xdr.TransactionResultResult.txSuccess([]))
const failed = resultOf(xdr.TransactionResultResult.txFailed([]))

effect("a record that agrees with its result is read", () =>
  Effect.gen(function* () {
    expect((yield* readOne(true, paid)).map(({ successful }) => successful)).toEqual([true])
    expect((yield* readOne(false, failed)).map(({ successful }) => successful)).toEqual([false])
  }),
)

effect("one that does not is no answer: nobody is taken for unpaid by it", () =>
  Effect.gen(function* () {
    for (const [successful, result] of [
      [false, paid],
      [true, failed],
      [false, "AAAA"],
    ] as const) {
      const error = yield* Effect.flip(readOne(successful, result))
      expect([error.reason, error.message]).toEqual([
        "undecodable_answer",
        expect.stringContaining(`transaction ${"ab".repeat(32)} is called`),
      ])
    }
  }),
)
