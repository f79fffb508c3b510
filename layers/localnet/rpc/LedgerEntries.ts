import { xdr } from "@stellar/stellar-sdk"
import type { Network } from "../Network.ts"
import { invalidParams } from "./RpcFault.ts"
import { type RpcParams, requireBase64, stringsParam } from "./RpcParams.ts"

const LEDGER_ENTRY_KEYS_MAX = 200

const decodeKey = (key: string, index: number): xdr.LedgerKey => {
  try {
    return xdr.LedgerKey.fromXdr(key, "base64")
  } catch {
    throw invalidParams(`cannot unmarshal key value ${key} at index ${index}`)
  }
}

/**
 * The entries under up to 200 keys, in the order asked, each once; those that do not exist are left out.
 * `latestLedger` is the ledger of which the answer speaks.
 * @throws RpcFault -32602 for more keys, a key that is not XDR, or a TTL key
 */
export const getLedgerEntries = (network: Network, params: RpcParams) => {
  requireBase64(params)
  const keys = stringsParam(params, "keys")
  if (keys.length > LEDGER_ENTRY_KEYS_MAX) {
    throw invalidParams(`key count (${keys.length}) exceeds maximum supported (${LEDGER_ENTRY_KEYS_MAX})`)
  }
  const wanted = new Map<string, xdr.LedgerKey>()
  keys.forEach((encoded, index) => {
    const key = decodeKey(encoded, index)
    if (key.type === "ttl") throw invalidParams("ledger ttl entries cannot be queried directly")
    wanted.set(key.toXdr("base64"), key)
  })
  const entries = [...wanted].flatMap(([encoded, key]) => {
    const stored = network.entry(key)
    if (stored === undefined) return []
    return [
      {
        key: encoded,
        xdr: stored.entry.data.toXdr("base64"),
        lastModifiedLedgerSeq: stored.lastModifiedLedger,
        extXdr: stored.entry.ext.toXdr("base64"),
      },
    ]
  })
  return { entries, latestLedger: network.latest().sequence }
}
