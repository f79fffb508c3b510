/** `nova merchant` */
import { Console, Effect, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import * as Live from "../../layers/Live.ts"
import { plainText } from "../kernel/PlainText.ts"
import * as Settings from "../kernel/Settings.ts"
import { Merchants } from "../merchant/Merchants.ts"

const merchantCreate = Command.make(
  "create",
  {
    name: Flag.String("name").pipe(
      Flag.withDescription("What the merchant is called, 1 to 200 characters"),
      Flag.withSchema(plainText(1, 200)),
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Prints one JSON object, for scripts"),
      Flag.withDefault(false),
    ),
  },
  Effect.fnUntraced(
    function* ({ json, name }) {
      const merchants = yield* Merchants
      const mode = yield* Settings.keyMode
      const merchant = yield* merchants.create({ name })
      const apiKey = Redacted.value(yield* merchants.createKey({ merchantId: merchant.id, mode }))
      yield* Console.log(
        json
          ? JSON.stringify({ merchantId: merchant.id, name, mode, apiKey })
          : `merchant  ${merchant.id}  ${name}\nkey       ${apiKey}\n\nThe key is shown this once only: keep it as you keep a password.`,
      )
    },
    Effect.provide(Live.merchantServices("merchant")),
  ),
).pipe(Command.withDescription("Makes a merchant with its first API key, in the database at DATABASE_URL"))

export const merchantCommand = Command.make("merchant").pipe(
  Command.withDescription("Makes merchants, who issue rewards"),
  Command.withSubcommands([merchantCreate]),
)
