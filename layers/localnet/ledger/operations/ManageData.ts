/** stellar-core src/transactions/ManageDataOpFrame.cpp */
import { xdr } from "@stellar/stellar-sdk"
import { isPrintable } from "../Codec.ts"
import { type DataState, dataKey } from "../Entries.ts"
import { failed, type OperationRules, sponsorshipRefused, succeeded, Threshold } from "../Operations.ts"
import { createEntry, removeEntry } from "../Sponsorship.ts"

const answer = xdr.OperationResultTr.manageData
const SUCCESS = succeeded(answer(xdr.ManageDataResult.manageDataSuccess()))
const NAME_NOT_FOUND = failed(answer(xdr.ManageDataResult.manageDataNameNotFound()))
const LOW_RESERVE = failed(answer(xdr.ManageDataResult.manageDataLowReserve()))
const INVALID_NAME = failed(answer(xdr.ManageDataResult.manageDataInvalidName()))

export const manageData: OperationRules<xdr.ManageDataOp> = {
  threshold: () => Threshold.medium,
  check: ({ dataName }) =>
    dataName.bytes.length === 0 || !isPrintable(dataName.bytes) ? INVALID_NAME : undefined,
  apply: ({ dataName, dataValue }, { source }, context) => {
    const { state } = context
    const name = Buffer.from(dataName.bytes).toString("latin1")
    const known = state.get(dataKey(source, name)) as DataState | undefined
    if (dataValue === null) {
      if (known === undefined) return NAME_NOT_FOUND
      removeEntry(context, known)
      state.remove(dataKey(source, name))
      return SUCCESS
    }
    if (known !== undefined) {
      state.put({ ...known, value: dataValue.value })
      return SUCCESS
    }
    const created = createEntry(
      context,
      {
        kind: "data",
        account: source,
        name,
        value: dataValue.value,
        sponsor: null,
        entryExtension: 0,
        lastModified: 0,
      },
      source,
    )
    return created === "success" ? SUCCESS : sponsorshipRefused(created, LOW_RESERVE)
  },
}
