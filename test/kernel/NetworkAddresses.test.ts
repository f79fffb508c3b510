/** HORIZON_URL and SOROBAN_RPC_URL: one address or several, and which ones are known without being given. */
import { describe, expect } from "bun:test"
import { ConfigProvider, Effect } from "effect"
import { horizonUrls, sorobanRpcUrls, submitVia } from "../../src/kernel/Settings.ts"
import { effect } from "../support/it.ts"

const given = (env: Record<string, string>) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))

describe("addresses of the network's servers", () => {
  effect("come in their order, without the spaces between them", () =>
    Effect.gen(function* () {
      const env = {
        HORIZON_URL: "https://a.example/h , http://b.example:8000",
        SOROBAN_RPC_URL: "http://c.example",
      }
      expect(yield* given(env)(horizonUrls)).toEqual(["https://a.example/h", "http://b.example:8000"])
      expect(yield* given(env)(sorobanRpcUrls)).toEqual(["http://c.example"])
    }),
  )

  effect("are known for testnet", () =>
    Effect.gen(function* () {
      const env = { STELLAR_NETWORK: "testnet" }
      expect(yield* given(env)(horizonUrls)).toEqual(["https://horizon-testnet.stellar.org"])
      expect(yield* given(env)(sorobanRpcUrls)).toEqual(["https://soroban-testnet.stellar.org"])
    }),
  )

  effect("must be addresses, each of them, and must be given for a custom network", () =>
    Effect.gen(function* () {
      for (const HORIZON_URL of [
        "horizon.example",
        "https://a.example,",
        ",",
        "https://a.example b.example",
      ]) {
        const error = yield* Effect.flip(given({ HORIZON_URL })(horizonUrls))
        expect(error.message).toContain("separated by commas")
      }
      expect((yield* Effect.flip(given({ STELLAR_NETWORK: "custom" })(horizonUrls)))._tag).toBe("ConfigError")
    }),
  )

  effect("transactions go to RPC unless Horizon is asked for", () =>
    Effect.gen(function* () {
      expect(yield* given({})(submitVia)).toBe("rpc")
      expect(yield* given({ STELLAR_SUBMIT_VIA: "horizon" })(submitVia)).toBe("horizon")
      expect((yield* Effect.flip(given({ STELLAR_SUBMIT_VIA: "smoke" })(submitVia)))._tag).toBe("ConfigError")
    }),
  )
})
