/**
 * Ledger entries, their keys and their changes as XDR bytes without XDR objects in between
 * (Stellar-ledger-entries.x, Stellar-ledger.x): the state's hash, the meta and the checkpoints need nothing
 * else of them. EntryXdr.ts makes the objects for readers; a test holds the two together.
 */
import { assetCodeOf, issuerOf, SignerType } from "./Codec.ts"
import type {
  AccountKey,
  AccountState,
  AssetKey,
  ClaimableBalanceState,
  Entry,
  Predicate,
  SignerKeyText,
} from "./Entries.ts"
import type { EntryChange } from "./State.ts"
import type { XdrWriter } from "./XdrWriter.ts"

const accountId = (out: XdrWriter, key: AccountKey): void => {
  out.u32(0)
  out.hex(key)
}

const optionalAccountId = (out: XdrWriter, key: AccountKey | null): void => {
  if (key === null) {
    out.u32(0)
    return
  }
  out.u32(1)
  accountId(out, key)
}

const asset = (out: XdrWriter, key: AssetKey): void => {
  if (key === "native") {
    out.u32(0)
    return
  }
  const code = assetCodeOf(key)
  const isShort = code.length <= 4
  out.u32(isShort ? 1 : 2)
  out.text(code, isShort ? 4 : 12)
  accountId(out, issuerOf(key))
}

/** Its text is type and content in hex already; only a signed payload has a length within. */
const signerKey = (out: XdrWriter, key: SignerKeyText): void => {
  if (!key.startsWith(SignerType.signedPayload)) {
    out.hex(key)
    return
  }
  out.hex(key.slice(0, 72))
  out.variable(Buffer.from(key.slice(72), "hex"))
}

const accountExtension = (out: XdrWriter, account: AccountState): void => {
  if (account.extension === 0) {
    out.u32(0)
    return
  }
  out.u32(1)
  // Liabilities: there are no offers.
  out.i64(0n)
  out.i64(0n)
  if (account.extension < 2) {
    out.u32(0)
    return
  }
  out.u32(2)
  out.u32(account.sponsored)
  out.u32(account.sponsoring)
  out.u32(account.signerSponsors.length)
  for (const sponsor of account.signerSponsors) optionalAccountId(out, sponsor)
  if (account.extension < 3) {
    out.u32(0)
    return
  }
  out.u32(3)
  out.u32(0)
  out.u32(account.sequenceLedger)
  out.u64(account.sequenceTime)
}

const accountContent = (out: XdrWriter, account: AccountState): void => {
  out.i64(account.balance)
  out.i64(account.sequence)
  out.u32(account.subEntries)
  optionalAccountId(out, account.inflationDestination)
  out.u32(account.flags)
  out.variable(account.homeDomain)
  const [master, low, medium, high] = account.thresholds
  out.u32(((master << 24) | (low << 16) | (medium << 8) | high) >>> 0)
  out.u32(account.signers.length)
  for (const { key, weight } of account.signers) {
    signerKey(out, key)
    out.u32(weight)
  }
  accountExtension(out, account)
}

const predicate = (out: XdrWriter, one: Predicate): void => {
  switch (one.is) {
    case "unconditional":
      out.u32(0)
      return
    case "and":
    case "or":
      out.u32(one.is === "and" ? 1 : 2)
      out.u32(one.of.length)
      for (const member of one.of) predicate(out, member)
      return
    case "not":
      out.u32(3)
      if (one.of === null) {
        out.u32(0)
        return
      }
      out.u32(1)
      predicate(out, one.of)
      return
    case "before":
    case "relative":
      out.u32(one.is === "before" ? 4 : 5)
      out.i64(one.seconds)
      return
  }
}

const claimableBalanceContent = (out: XdrWriter, balance: ClaimableBalanceState): void => {
  out.u32(balance.claimants.length)
  for (const claimant of balance.claimants) {
    out.u32(0)
    accountId(out, claimant.destination)
    predicate(out, claimant.predicate)
  }
  asset(out, balance.asset)
  out.i64(balance.amount)
  if (!balance.clawbackEnabled) {
    out.u32(0)
    return
  }
  out.u32(1)
  out.u32(0)
  out.u32(1)
}

/** LedgerKey: the type and what identifies the entry, with which LedgerEntry.data begins as well. */
export const writeEntryKey = (out: XdrWriter, entry: Entry): void => {
  switch (entry.kind) {
    case "account":
      out.u32(0)
      accountId(out, entry.id)
      return
    case "trustline":
      out.u32(1)
      accountId(out, entry.account)
      asset(out, entry.asset)
      return
    case "data":
      out.u32(3)
      accountId(out, entry.account)
      out.variable(Buffer.from(entry.name, "latin1"))
      return
    case "claimableBalance":
      out.u32(4)
      out.u32(0)
      out.hex(entry.id)
      return
  }
}

const writeContent = (out: XdrWriter, entry: Entry): void => {
  switch (entry.kind) {
    case "account":
      accountContent(out, entry)
      return
    case "trustline":
      out.i64(entry.balance)
      out.i64(entry.limit)
      out.u32(entry.flags)
      out.u32(0)
      return
    case "data":
      out.variable(entry.value)
      out.u32(0)
      return
    case "claimableBalance":
      claimableBalanceContent(out, entry)
      return
  }
}

/** LedgerEntry. */
export const writeEntry = (out: XdrWriter, entry: Entry): void => {
  out.u32(entry.lastModified)
  writeEntryKey(out, entry)
  writeContent(out, entry)
  if (entry.entryExtension === 0) {
    out.u32(0)
    return
  }
  out.u32(1)
  optionalAccountId(out, entry.sponsor)
  out.u32(0)
}

/** LedgerEntryChangeType. */
const Change = { created: 0, updated: 1, removed: 2, state: 3 } as const

/** LedgerEntryChanges: the state before, then what became of it (LedgerTxn::getChanges). */
export const writeChanges = (out: XdrWriter, changes: ReadonlyArray<EntryChange>): void => {
  const start = out.length()
  out.u32(0)
  let count = 0
  for (const { before, after } of changes) {
    if (before !== undefined) {
      out.u32(Change.state)
      writeEntry(out, before)
      count++
    }
    if (after !== undefined) {
      out.u32(before === undefined ? Change.created : Change.updated)
      writeEntry(out, after)
      count++
    } else if (before !== undefined) {
      out.u32(Change.removed)
      writeEntryKey(out, before)
      count++
    }
  }
  out.u32At(start, count)
}
