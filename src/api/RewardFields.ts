/** What a request says of a reward, on every route that issues. */
import { Schema } from "effect"
import { Priority } from "../issuance/IssueRequest.ts"
import { Amount } from "../kernel/Amount.ts"
import { CampaignId } from "../kernel/Ids.ts"
import { plainText } from "../kernel/PlainText.ts"
import { WalletAddress } from "../kernel/StellarAddress.ts"

export const rewardFields = {
  walletAddress: WalletAddress,
  amount: Amount,
  campaignId: CampaignId,
  userId: Schema.optionalKey(
    plainText(1, 128).annotateKey({ description: "Your own name for the user", examples: ["user-42"] }),
  ),
  priority: Schema.optionalKey(
    Priority.annotateKey({
      description:
        "Which of your own rewards are paid first. When absent: normal for issue, high for distribute, low in a batch",
    }),
  ),
}
