/** A Stellar network that the scenario runs against: addresses and a passphrase, and nothing else of it is known. */
export interface Target {
  readonly name: string
  readonly horizonUrl: string
  readonly rpcUrl: string
  readonly passphrase: string
  /** Gives an account its first lumens when asked with `?addr=`. */
  readonly friendbotUrl: string
}

/** https://developers.stellar.org/docs/networks */
export const TESTNET: Target = {
  name: "testnet",
  horizonUrl: "https://horizon-testnet.stellar.org",
  rpcUrl: "https://soroban-testnet.stellar.org",
  passphrase: "Test SDF Network ; September 2015",
  friendbotUrl: "https://friendbot.stellar.org",
}
