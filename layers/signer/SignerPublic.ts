/** Signer for an operator's readings: it knows who pays, by `NOVA_DISTRIBUTION_ADDRESS`, and signs nothing. */
import { Effect, Layer } from "effect"
import { Signer, SignerError } from "../../src/ports/Signer.ts"

const withoutKeys = new SignerError({ reason: "denied", message: "This command holds no keys." })

/** @param distributionAddress G... */
export const layerAddress = (distributionAddress: string) =>
  Layer.succeed(
    Signer,
    Signer.of({
      distributionAddress,
      channelAddress: () => Effect.fail(withoutKeys),
      sign: () => Effect.fail(withoutKeys),
    }),
  )
