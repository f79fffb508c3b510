/** Transactions by participant, oldest first. Dropping the oldest ledger drops them from the front. */
import type { AppliedTransaction } from "../Network.ts"
import type { AccountKey } from "./Entries.ts"
import type { KeptTransaction } from "./KeptTransaction.ts"

export interface AccountIndex {
  readonly add: (transaction: KeptTransaction) => void
  /** Only ever called for the oldest transaction that is left. */
  readonly drop: (transaction: KeptTransaction) => void
  readonly of: (account: AccountKey) => ReadonlyArray<AppliedTransaction>
}

/** Dropped items are cut off in blocks, so that dropping costs no copy each time. */
const CUT_AFTER = 64

export const makeAccountIndex = (): AccountIndex => {
  const byAccount = new Map<AccountKey, { items: Array<AppliedTransaction>; dropped: number }>()
  return {
    add: ({ view, participants }) => {
      for (const account of participants) {
        const list = byAccount.get(account)
        if (list === undefined) byAccount.set(account, { items: [view], dropped: 0 })
        else list.items.push(view)
      }
    },
    drop: ({ participants }) => {
      for (const account of participants) {
        const list = byAccount.get(account)
        if (list === undefined) continue
        list.dropped++
        if (list.dropped === list.items.length) byAccount.delete(account)
        else if (list.dropped >= CUT_AFTER && list.dropped * 2 >= list.items.length) {
          list.items = list.items.slice(list.dropped)
          list.dropped = 0
        }
      }
    },
    of: (account) => {
      const list = byAccount.get(account)
      return list === undefined ? [] : list.items.slice(list.dropped)
    },
  }
}
