/** An issuance as the API shows it. */
import { Schema } from "effect"
import { IssuanceReason, IssuanceStatus } from "../issuance/Issuance.ts"
import { Priority } from "../issuance/IssueRequest.ts"
import { CampaignId, IssuanceId } from "../kernel/Ids.ts"
import { Instant } from "../kernel/Instant.ts"
import { WalletAddress } from "../kernel/StellarAddress.ts"

const ClaimableBalance = Schema.Struct({
  balanceId: Schema.String.annotate({
    description: "Id of the claimable balance, hex, as Horizon writes it",
    examples: ["00000000178826fbfe339e1f5c53417c6fedfe2c05e8bec14303143ec46b38981b09c3f9"],
  }),
  reclaimAfter: Instant.annotateKey({
    description: "From then on it may be taken back unless it was claimed",
  }),
  status: Schema.Literals(["open", "claimed", "reclaimed"]),
}).annotate({ identifier: "ClaimableBalance" })

const issuanceFields = {
  id: IssuanceId,
  status: IssuanceStatus,
  reason: Schema.NullOr(IssuanceReason).annotateKey({ description: "With failed and held" }),
  amount: Schema.String.annotate({ examples: ["25.0000000"] }),
  walletAddress: WalletAddress,
  campaignId: CampaignId,
  userId: Schema.NullOr(Schema.String),
  idempotencyKey: Schema.String,
  priority: Priority,
  payout: Schema.Literals(["payment", "claimable_balance"]).annotate({
    description:
      "How it is paid: by a payment, or as a claimable balance because the wallet could not take one",
  }),
  claimableBalance: Schema.NullOr(ClaimableBalance).annotateKey({
    description: "Once it was paid as a claimable balance",
  }),
  createdAt: Instant,
  updatedAt: Instant,
  confirmedAt: Schema.NullOr(Instant),
  txHash: Schema.NullOr(Schema.String).annotateKey({
    description:
      "Hash (hex) of the transaction that paid it; with ledger and operationIndex the proof, once confirmed",
  }),
  ledger: Schema.NullOr(Schema.Int).annotateKey({
    description: "Sequence of the ledger that holds the payment",
  }),
  operationIndex: Schema.NullOr(Schema.Int).annotateKey({
    description: "Which operation of the transaction it is, from 0",
  }),
}

export const Issuance = Schema.Struct(issuanceFields).annotate({ identifier: "Issuance" })

const withTimeline = (identifier: string, description: string) =>
  Schema.Struct({
    ...issuanceFields,
    timeline: Schema.Array(
      Schema.Struct({
        at: Instant,
        from: Schema.NullOr(IssuanceStatus),
        to: IssuanceStatus,
        reason: Schema.NullOr(Schema.String),
      }),
    ).annotateKey({ description: "Every change of status, oldest first" }),
  }).annotate({ identifier, description })

export const IssuanceWithTimeline = withTimeline("IssuanceWithTimeline", "An issuance with its history")
export const IssuanceAtItsEnd = withTimeline(
  "IssuanceAtItsEnd",
  "It came to its end in time, or is held: waiting longer would not help",
)
export const IssuanceOnItsWay = withTimeline("IssuanceOnItsWay", "It takes longer; this is how far it is")
