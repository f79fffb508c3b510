/** What `npm start` writes to $NOVA_HOME/demo.json: all that a script needs to try the running system. */
import { Schema } from "effect"

export const DemoFile = Schema.Struct({
  apiUrl: Schema.String,
  apiKey: Schema.String,
  campaignId: Schema.String,
  /** G addresses: two with a trustline, then one without. */
  wallets: Schema.Tuple([Schema.String, Schema.String, Schema.String]),
  horizonUrl: Schema.String,
  rpcUrl: Schema.String,
  networkPassphrase: Schema.String,
  /** "CODE:ISSUER". */
  asset: Schema.String,
})
export type DemoFile = typeof DemoFile.Type

export const decodeDemoFile = Schema.decodeUnknownEffect(Schema.fromJsonString(DemoFile))
