/** An account's own affairs: options, signers and thresholds, data, sequence. */
import { Asset, AuthRequiredFlag, AuthRevocableFlag, Keypair, Operation } from "@stellar/stellar-sdk"
import { chapter, type Step, same } from "./Chapter.ts"
import type { Client } from "./Client.ts"

interface Scene {
  readonly keys: Keypair
  readonly second: Keypair
  readonly other: Keypair
}

const open = async (client: Client): Promise<Scene> => {
  const [keys, other] = await client.people(await client.bank(), 2)
  if (keys === undefined || other === undefined) throw new Error("no accounts")
  return { keys, other, second: Keypair.random() }
}

const failed = (...operations: ReadonlyArray<string>) => ({
  transaction: "tx_failed",
  operations: [...operations],
})

const pay = (to: Keypair) =>
  Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount: "1" })

const data: ReadonlyArray<Step<Scene>> = [
  {
    name: "set_options: home domain and flags are shown as set",
    source: "SetOptionsOpFrame.cpp doApply",
    play: async (client, { keys }) => {
      await client.apply(keys, [
        Operation.setOptions({ homeDomain: "nova.example", setFlags: AuthRequiredFlag }),
        Operation.setOptions({ setFlags: AuthRevocableFlag, clearFlags: AuthRequiredFlag }),
      ])
      const { flags, home_domain } = await client.account(keys)
      same([home_domain, flags.auth_required, flags.auth_revocable], ["nova.example", false, true], "options")
    },
  },
  {
    name: "manage_data: set, changed, read back, removed",
    source: "ManageDataOpFrame.cpp doApply; docs: Horizon account data",
    play: async (client, { keys }) => {
      await client.apply(keys, [Operation.manageData({ name: "colour", value: "red" })])
      await client.apply(keys, [Operation.manageData({ name: "colour", value: "blue" })])
      const account = await client.account(keys)
      same(account.data_attr.colour, Buffer.from("blue").toString("base64"), "value")
      same(account.subentry_count, 1, "subentries")
      await client.apply(keys, [Operation.manageData({ name: "colour", value: null })])
      same((await client.account(keys)).data_attr, {}, "data")
    },
  },
  {
    name: "manage_data of what is not there: op_data_name_not_found",
    source: "ManageDataOpFrame.cpp MANAGE_DATA_NAME_NOT_FOUND; Horizon codes/main.go",
    play: async (client, { keys }) => {
      const remove = Operation.manageData({ name: "nothing", value: null })
      same(await client.refusal(keys, [remove]), failed("op_data_name_not_found"), "codes")
    },
  },
  {
    name: "bump_sequence: forward, never back; the next transaction comes after it",
    source: "BumpSequenceOpFrame.cpp doApply",
    play: async (client, { keys, other }) => {
      const before = BigInt((await client.account(keys)).sequence)
      const bumpTo = before + 100n
      await client.apply(keys, [Operation.bumpSequence({ bumpTo: bumpTo.toString() })])
      same(BigInt((await client.account(keys)).sequence), bumpTo, "sequence")
      await client.apply(keys, [Operation.bumpSequence({ bumpTo: before.toString() })])
      same(BigInt((await client.account(keys)).sequence), bumpTo + 1n, "sequence after a bump back")
      await client.apply(keys, [pay(other)])
    },
  },
]

const signing: ReadonlyArray<Step<Scene>> = [
  {
    name: "a second signer with thresholds: who may do what",
    source: "docs: signatures and multisig, thresholds; SetOptionsOpFrame.cpp",
    play: async (client, { keys, second }) => {
      const signer = { ed25519PublicKey: second.publicKey(), weight: 1 }
      await client.apply(keys, [
        Operation.setOptions({ signer }),
        Operation.setOptions({ masterWeight: 1, lowThreshold: 1, medThreshold: 2, highThreshold: 3 }),
      ])
      const account = await client.account(keys)
      const { high_threshold, low_threshold, med_threshold } = account.thresholds
      same([low_threshold, med_threshold, high_threshold], [1, 2, 3], "thresholds")
      same(
        account.signers.map(({ weight }) => weight),
        [1, 1],
        "weights",
      )
    },
  },
  {
    name: "a payment by one of two: op_bad_auth; by both: applied",
    source: "OperationFrame.cpp checkSignature: a payment needs the medium threshold",
    play: async (client, { keys, other, second }) => {
      for (const signer of [keys, second]) {
        same(await client.refusal(keys, [pay(other)], { signers: [signer] }), failed("op_bad_auth"), "codes")
      }
      await client.apply(keys, [pay(other)], { signers: [keys, second] })
    },
  },
  {
    name: "bump_sequence needs the low threshold: either alone will do",
    source: "BumpSequenceOpFrame.cpp getThresholdLevel: LOW",
    play: async (client, { keys, second }) => {
      const bump = Operation.bumpSequence({ bumpTo: "1" })
      await client.apply(keys, [bump], { signers: [second] })
    },
  },
  {
    name: "changing signers needs the high threshold, which both do not reach: op_bad_auth",
    source: "SetOptionsOpFrame.cpp getThresholdLevel: HIGH for weights, thresholds, signers",
    play: async (client, { keys, second }) => {
      const change = Operation.setOptions({ highThreshold: 2 })
      same(await client.refusal(keys, [change], { signers: [keys, second] }), failed("op_bad_auth"), "codes")
    },
  },
]

export const settings = chapter("settings", open, [...data, ...signing])
