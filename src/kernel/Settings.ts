/**
 * Every setting there is: its environment name, meaning and default, as a Config. A layer reads what it needs by
 * yielding the setting; `.env.example` is generated from this list (`bun run docs`), so none is undocumented.
 */
import { Config, Effect, Option, Schema } from "effect"
import { Amount, STROOPS_PER_UNIT } from "./Amount.ts"
import {
  choice,
  conditionalSecret,
  conditionalText,
  count,
  define,
  optionalCount,
  optionalText,
  port,
  requiredText,
  type Setting,
  secret,
  settings,
  text,
} from "./Setting.ts"

// The embedded profile

export const novaHome = optionalText(
  "NOVA_HOME",
  "Where `npm start` keeps its database, ledger, keys and logs; .nova beside package.json when empty",
)
export const stellarNetwork = choice(
  "STELLAR_NETWORK",
  "local (the embedded network), testnet, public, or custom",
  ["local", "testnet", "public", "custom"],
  "local",
)
/** Follows from the network: a live key pays real money on the public one, and nowhere else does it mean anything. */
export const keyMode = Config.map(stellarNetwork, (network) => (network === "public" ? "live" : "test"))
export const localnetPort = port(
  "LOCALNET_PORT",
  "Port of the embedded network's Horizon, RPC and friendbot",
  8000,
)
export const localnetCloseIntervalMs = count(
  "LOCALNET_CLOSE_INTERVAL_MS",
  "How often the embedded network closes a ledger, in ms (the real network: about 5000). Close times are whole seconds that must grow: below 1000 they run ahead of the clock, and after minutes of it transactions with time bounds are too late",
  1000,
  10,
  600_000,
)

// The API

export const host = text(
  "HOST",
  "Address that the API and the workers' health servers listen on",
  "127.0.0.1",
)
export const apiPort = port("PORT", "Port of the API", 3000)
export const workerPort = port("WORKER_PORT", "Port of the issuance worker's health and metrics", 3001)
export const bodyBytesMax = count(
  "BODY_BYTES_MAX",
  "Largest request body, in bytes; above it: 413",
  1_048_576,
  1,
  1_073_741_824,
)

export const drainDelayMs = count(
  "DRAIN_DELAY_MS",
  "How long a stopping API still answers while /health/ready says 503, in ms; behind a load balancer about 5000",
  0,
  0,
  600_000,
)

// PostgreSQL

export const databaseUrl = secret(
  "DATABASE_URL",
  "PostgreSQL, such as postgres://user:password@host:5432/nova; the embedded profile sets it by itself",
)
export const dbPoolMax = count("DB_POOL_MAX", "Connections that one program keeps open at most", 10, 1, 1_000)

// The Stellar network

interface NetworkDefaults {
  readonly passphrase?: string
  readonly horizonUrl?: string
  readonly sorobanRpcUrl?: string
}

/** Passphrases and public endpoints: https://developers.stellar.org/docs/networks */
const NETWORKS: Record<"local" | "testnet" | "public" | "custom", NetworkDefaults> = {
  local: { passphrase: "Standalone Network ; February 2017" },
  testnet: {
    passphrase: "Test SDF Network ; September 2015",
    horizonUrl: "https://horizon-testnet.stellar.org",
    sorobanRpcUrl: "https://soroban-testnet.stellar.org",
  },
  public: {
    passphrase: "Public Global Stellar Network ; September 2015",
    horizonUrl: "https://horizon.stellar.org",
  },
  custom: {},
}

/** A value that is known for some networks and must be given for the others. */
const byNetwork = (
  name: string,
  about: string,
  key: keyof NetworkDefaults,
  text: Config.Config<string> = Config.NonEmptyString(name),
) =>
  define({
    name,
    about,
    fallback: "",
    config: Config.option(text).pipe(
      Config.flatMap((given) =>
        Option.isSome(given)
          ? Config.succeed(given.value)
          : Config.flatMap(stellarNetwork, (network) => {
              const known = NETWORKS[network][key]
              return known === undefined ? text : Config.succeed(known)
            }),
      ),
    ),
  })

const ADDRESSES = /^\s*https?:\/\/[^\s,]+(\s*,\s*https?:\/\/[^\s,]+)*\s*$/

/** Addresses of one service, the preferred one first: as they were given, for people, and one by one. */
const addresses = (name: string, about: string, key: keyof NetworkDefaults) => {
  const text = Schema.String.check(
    Schema.isPattern(ADDRESSES, { expected: "http or https addresses, separated by commas" }),
  )
  const given = byNetwork(name, about, key, Config.schema(text, name))
  return { given, each: Config.map(given, (list) => list.split(",").map((address) => address.trim())) }
}

const horizonAddresses = addresses(
  "HORIZON_URL",
  "Horizon's addresses, the preferred one first, separated by commas; known for testnet and public",
  "horizonUrl",
)
export const horizonUrl = horizonAddresses.given
export const horizonUrls = horizonAddresses.each
const sorobanRpcAddresses = addresses(
  "SOROBAN_RPC_URL",
  "Stellar RPC's addresses, the preferred one first, separated by commas; known for testnet",
  "sorobanRpcUrl",
)
export const sorobanRpcUrl = sorobanRpcAddresses.given
export const sorobanRpcUrls = sorobanRpcAddresses.each
export const submitVia = choice(
  "STELLAR_SUBMIT_VIA",
  "Where transactions are handed in: rpc (sendTransaction) or horizon (POST /transactions_async)",
  ["rpc", "horizon"],
  "rpc",
)
export const networkPassphrase = byNetwork(
  "NETWORK_PASSPHRASE",
  "The network's passphrase; known for all but custom",
  "passphrase",
)
export const networkTimeoutMs = count(
  "NETWORK_TIMEOUT_MS",
  "Longest wait for an answer of Horizon or RPC, in ms",
  10_000,
  1,
  600_000,
)

// Issuance

export const assetCode = define({
  name: "NOVA_ASSET_CODE",
  about: "Code of the rewards' asset: 1 to 12 letters and digits",
  fallback: "NOVA",
  config: Config.schema(
    Schema.String.check(Schema.isPattern(/^[A-Za-z0-9]{1,12}$/, { expected: "1 to 12 letters and digits" })),
    "NOVA_ASSET_CODE",
  ).pipe(Config.withDefault("NOVA")),
})
export const assetIssuer = requiredText("NOVA_ASSET_ISSUER", "Account that issues the asset, G...")
export const distributionSecret = secret(
  "NOVA_DISTRIBUTION_SECRET",
  "Secret key (S...) of the account that pays rewards",
)
export const distributionAddress = optionalText(
  "NOVA_DISTRIBUTION_ADDRESS",
  "Public key (G...) of that account, for programs that do not hold its secret: the API refuses rewards to it",
)
export const channelSeed = secret(
  "NOVA_CHANNEL_SEED",
  "Seed that every channel account derives from (SEP-5), 32 to 64 bytes in hex",
)
/** One getLedgerEntries call reads all of them, the distribution account and its trustline: 200 keys at most. */
export const channels = optionalCount(
  "NOVA_CHANNELS",
  "Channel accounts that the issuance worker creates and uses; chosen from the network's capacity when empty",
  1,
  198,
)
export const channelTopUpBelow = count(
  "CHANNEL_TOP_UP_BELOW",
  "A channel that can spend less XLM than this gets more from the distribution account; it pays its fees by it",
  2,
  1,
  49,
)
export const channelTopUpTo = count(
  "CHANNEL_TOP_UP_TO",
  "XLM that a channel starts with and is topped up to; more than CHANNEL_TOP_UP_BELOW",
  5,
  2,
  50,
)
export const baseFeeStroops = count(
  "STELLAR_BASE_FEE_STROOPS",
  "Lowest fee bid for each operation, in stroops; the market's when that is higher",
  100,
  100,
  10_000_000,
)
export const feeStroopsMax = count(
  "STELLAR_FEE_STROOPS_MAX",
  "Highest fee for each operation, in stroops: bids and fee bumps stay below it, and wait when it does not suffice",
  100_000,
  100,
  100_000_000,
)
export const paymentsMax = count(
  "ISSUANCE_BATCH_MAX",
  "Rewards in one transaction at most; fewer is for measuring",
  100,
  1,
  100,
)
export const envelopeLedgers = count(
  "STELLAR_ENVELOPE_LEDGERS",
  "Ledgers for which a signed transaction may still apply; then it has provably expired",
  12,
  1,
  1_000,
)
export const pollIntervalMs = count(
  "ISSUANCE_POLL_INTERVAL_MS",
  "How often a worker looks for new rewards and for verdicts, in ms",
  250,
  10,
  60_000,
)
export const workerName = optionalText(
  "ISSUANCE_WORKER_NAME",
  "Name of this issuance worker, never that of another one: its next run takes over its channels at once instead of waiting for their leases to end",
)
export const leaseMs = count(
  "ISSUANCE_LEASE_MS",
  "How long a worker owns a channel without renewing, in ms",
  15_000,
  1_000,
  3_600_000,
)

// The signer

/** Half of what the ledger can hold, so that a day's sum and one more transaction always fit into 64 bits. */
const ASSET_CAP_MAX = 400_000_000_000n * STROOPS_PER_UNIT

const AssetCap = Amount.check(
  Schema.makeFilter((stroops) => (stroops <= ASSET_CAP_MAX ? undefined : "must be at most 400000000000")),
)

const assetCap = (name: string, about: string, fallbackUnits: bigint) =>
  define({
    name,
    about,
    fallback: String(fallbackUnits),
    config: Config.schema(AssetCap, name).pipe(Config.withDefault(fallbackUnits * STROOPS_PER_UNIT)),
  })

export const signerKind = choice(
  "NOVA_SIGNER",
  "Who keeps the distribution key: local (NOVA_DISTRIBUTION_SECRET) or kms (AWS KMS)",
  ["local", "kms"],
  "local",
)
export const signerTransactionCap = assetCap(
  "NOVA_SIGNER_TRANSACTION_CAP",
  "Units of the asset that one transaction may give away; above it the signer refuses",
  1_000_000n,
)
export const signerDailyCap = assetCap(
  "NOVA_SIGNER_DAILY_CAP",
  "Units of the asset that are signed away on one day (UTC) at most; a change holds for the running day, too",
  10_000_000n,
)
export const signerFeeStroopsMax = count(
  "NOVA_SIGNER_FEE_STROOPS_MAX",
  "Highest fee for each operation that the signer signs, in stroops; not below STELLAR_FEE_STROOPS_MAX",
  1_000_000,
  100,
  100_000_000,
)
export const kmsKeyId = conditionalText(
  "AWS_KMS_KEY_ID",
  "With NOVA_SIGNER=kms: id, ARN or alias/... of the distribution key (key spec ECC_NIST_EDWARDS25519)",
  /^\S{1,2048}$/,
  "a key's id, ARN or alias",
)
export const awsRegion = conditionalText(
  "AWS_REGION",
  "With NOVA_SIGNER=kms: region of the key, such as eu-central-1",
  /^[a-z0-9-]{1,32}$/,
  "a region's name",
)
export const kmsEndpoint = optionalText(
  "AWS_KMS_ENDPOINT",
  "Address of KMS, such as a VPC endpoint's; https://kms.<region>.amazonaws.com when empty",
)
export const awsAccessKeyId = conditionalSecret(
  "AWS_ACCESS_KEY_ID",
  "With NOVA_SIGNER=kms: who asks KMS to sign",
)
export const awsSecretAccessKey = conditionalSecret(
  "AWS_SECRET_ACCESS_KEY",
  "With NOVA_SIGNER=kms: that one's secret",
)
export const awsSessionToken = define({
  name: "AWS_SESSION_TOKEN",
  about: "With NOVA_SIGNER=kms: the session's token, where the credentials are temporary",
  fallback: "",
  config: Config.option(Config.Redacted("AWS_SESSION_TOKEN")),
})
export const kmsTimeoutMs = count(
  "AWS_KMS_TIMEOUT_MS",
  "Longest wait for an answer of KMS, in ms",
  5_000,
  1,
  600_000,
)

// Telemetry

export const logFormat = choice(
  "LOG_FORMAT",
  "json (one object a line) or pretty",
  ["json", "pretty"],
  "json",
)

/**
 * Reads every setting that somebody has given, so that a wrong one is named before anything starts.
 *
 * @error ConfigError for the first wrong one
 */
export const checkGiven = Effect.suspend(() =>
  Effect.forEach(
    settings,
    ({ config, name }) =>
      Effect.flatMap(Config.option(Config.NonEmptyString(name)), (given) =>
        Option.isSome(given) ? Effect.asVoid(config) : Effect.void,
      ),
    { discard: true },
  ),
)

/** All settings, in the order of this file. */
export const all: ReadonlyArray<Setting<unknown>> = settings
