/** What every Signer must do: one suite, run with the secrets in this process and with the key in a KMS. */
import { describe, expect, test } from "bun:test"
import { Keypair, Memo, Operation, TransactionBuilder } from "@stellar/stellar-sdk"
import { Effect, type Layer, Logger, type Scope } from "effect"
import { channelKeypair } from "../../layers/signer/ChannelKeys.ts"
import { SIGNER_RULES } from "../../layers/signer/SignerPolicy.ts"
import { channelKey, distributionKey, Signer } from "../../src/ports/Signer.ts"
import { REFUSED } from "../signer/RefusedTransactions.ts"
import {
  BATCH_KEYS,
  bumpOf,
  createChannel,
  giveLumens,
  isSignedBy,
  kms,
  leave,
  local,
  pay,
  SEED_HEX,
  transactionOf,
} from "../signer/Signers.ts"
import { effect } from "../support/it.ts"
import { distribution, PASSPHRASE } from "../support/TestNetwork.ts"

type Make = Effect.Effect<Layer.Layer<Signer, unknown>, never, Scope.Scope>

const ours = distribution.publicKey()
const upkeep = { source: ours, memo: Memo.none() }

const suite = (name: string, make: Make) =>
  describe(name, () => {
    const on = (title: string, body: (signer: Signer["Service"]) => Effect.Effect<unknown, unknown>) =>
      effect(title, () =>
        Effect.gen(function* () {
          const signer = yield* Effect.provide(Signer, yield* make, { local: true })
          yield* body(signer)
          // Refusals are logged, and meant here.
        }).pipe(Effect.provide(Logger.layer([]))),
      )

    on("names its accounts", (signer) =>
      Effect.gen(function* () {
        expect(signer.distributionAddress).toBe(ours)
        const seed = Buffer.from(SEED_HEX, "hex")
        expect(yield* signer.channelAddress(7)).toBe(channelKeypair(seed, 7).publicKey())
        for (const index of [-1, 1.5, 200]) {
          const error = yield* Effect.flip(signer.channelAddress(index))
          expect([error.reason, error.retry]).toEqual(["unknown_channel", "never"])
        }
      }),
    )

    on("signs a batch with both keys, for the fixed network", (signer) =>
      Effect.gen(function* () {
        const transaction = yield* transactionOf(signer, [pay(), leave(), pay("0.5")])
        const signed = yield* signer.sign(transaction.toXdr(), BATCH_KEYS)
        expect(signed.hash).toBe(Buffer.from(transaction.hash()).toString("hex"))
        const read = TransactionBuilder.fromXdr(signed.envelopeXdr, PASSPHRASE)
        expect(read.signatures).toHaveLength(2)
        expect(Buffer.from(read.hash()).toString("hex")).toBe(signed.hash)
        expect(isSignedBy(signed.envelopeXdr, ours)).toBe(true)
        expect(isSignedBy(signed.envelopeXdr, yield* signer.channelAddress(0))).toBe(true)
      }),
    )

    on(
      "a transaction that was built for another network gets no signature that is worth anything there",
      (signer) =>
        Effect.gen(function* () {
          const passphrase = "Public Global Stellar Network ; September 2015"
          const transaction = yield* transactionOf(signer, [pay()], { passphrase })
          const signed = yield* signer.sign(transaction.toXdr(), BATCH_KEYS)
          const elsewhere = TransactionBuilder.fromXdr(signed.envelopeXdr, passphrase)
          const key = Keypair.fromPublicKey(ours)
          expect(elsewhere.signatures.some((one) => key.verify(elsewhere.hash(), one.signature))).toBe(false)
        }),
    )

    on(
      "a fee bump is signed by its fee source alone, also another channel, and its inner transaction stays",
      (signer) =>
        Effect.gen(function* () {
          const inner = yield* transactionOf(signer, [pay()])
          const signed = yield* signer.sign(inner.toXdr(), BATCH_KEYS)
          for (const index of [0, 3]) {
            const payer = yield* signer.channelAddress(index)
            const bump = bumpOf(payer, 10_000, signed.envelopeXdr)
            const bumped = yield* signer.sign(bump.toXdr(), [channelKey(index)])
            expect(bumped.hash).toBe(Buffer.from(bump.hash()).toString("hex"))
            const read = TransactionBuilder.fromXdr(bumped.envelopeXdr, PASSPHRASE)
            if (!("innerTransaction" in read)) throw new Error("not a fee bump")
            expect(read.signatures).toHaveLength(1)
            expect(isSignedBy(bumped.envelopeXdr, payer)).toBe(true)
            expect(read.innerTransaction.toXdr()).toBe(signed.envelopeXdr)
          }
        }),
    )

    on("channels are created, topped up and balances taken back from the distribution account", (signer) =>
      Effect.gen(function* () {
        const [one, two] = [yield* signer.channelAddress(0), yield* signer.channelAddress(1)]
        const created = yield* transactionOf(signer, [...createChannel(one), ...createChannel(two)], upkeep)
        const keys = [distributionKey, channelKey(0), channelKey(1)]
        const signed = yield* signer.sign(created.toXdr(), keys)
        for (const address of [ours, one, two]) expect(isSignedBy(signed.envelopeXdr, address)).toBe(true)
        const toppedUp = yield* transactionOf(signer, [giveLumens(one, "50"), giveLumens(two)], upkeep)
        yield* signer.sign(toppedUp.toXdr(), [distributionKey])
        const balanceId = `00000000${"ab".repeat(32)}`
        const taken = yield* transactionOf(
          signer,
          [Operation.claimClaimableBalance({ source: ours, balanceId })],
          upkeep,
        )
        yield* signer.sign(taken.toXdr(), [distributionKey])
      }),
    )

    on("what is just at a limit is signed", (signer) =>
      Effect.gen(function* () {
        const plans = [
          transactionOf(signer, [pay("1000")]),
          transactionOf(signer, [pay(), pay()], { fee: 10_000 }),
          transactionOf(signer, [pay()], { secondsAhead: 300 }),
        ]
        for (const plan of plans) yield* signer.sign((yield* plan).toXdr(), BATCH_KEYS)
      }),
    )

    for (const { make: makeRefused, rule, title } of REFUSED) {
      on(`refuses by ${rule}: ${title}`, (signer) =>
        Effect.gen(function* () {
          const { envelopeXdr, keys } = yield* makeRefused(signer)
          const error = yield* Effect.flip(signer.sign(envelopeXdr, keys))
          expect([error.reason, error.rule, error.retry]).toEqual(["refused", rule, "never"])
        }),
      )
    }
  })

suite("secrets in this process", local)
suite("key in KMS", kms)

test("every rule is broken by some transaction above", () => {
  expect([...new Set(REFUSED.map(({ rule }) => rule))].toSorted()).toEqual([...SIGNER_RULES].toSorted())
})
