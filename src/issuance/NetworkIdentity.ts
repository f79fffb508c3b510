/**
 * The network that a database belongs to: passphrase, asset, and two ledgers by height and hash (the first one
 * seen, and the newest one seen). After a testnet reset, or against another network, every paid reward would look
 * unpaid, so the programs refuse instead of paying again.
 */
import { Clock, Effect, Option, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { SorobanRpc } from "../ports/SorobanRpc.ts"
import { IssuanceRefused } from "./IssuanceRefused.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"

interface IdentityRow {
  readonly passphrase: string
  readonly asset_code: string
  readonly asset_issuer: string
  readonly first_ledger: bigint
  readonly first_ledger_hash: string
  readonly known_ledger: bigint
  readonly known_ledger_hash: string
}

/** A node may lag behind the newest ledger that we know; this long, then it is taken for another network. */
const LAG_ALLOWANCE = Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(15)])

const checkPassphrase = Effect.fnUntraced(function* (expected: string, actual: string) {
  if (expected === actual) return
  return yield* new IssuanceRefused({
    code: "wrong_network",
    message: `The node speaks for the network "${actual}", but NETWORK_PASSPHRASE says "${expected}": point SOROBAN_RPC_URL at the right network.`,
  })
})

const checkHash = Effect.fnUntraced(function* (height: bigint, hash: string) {
  const rpc = yield* SorobanRpc
  const actual = yield* rpc.getLedger(Number(height))
  if (Option.isNone(actual) || actual.value.hash === hash) return
  return yield* new IssuanceRefused({
    code: "network_was_reset",
    message: `Ledger ${height} of the network is not the one that this database knows: the network was reset, or it is another one. Use a fresh database, or point SOROBAN_RPC_URL at the network that was used before.`,
  })
})

const compare = Effect.fnUntraced(function* (row: IdentityRow) {
  const rpc = yield* SorobanRpc
  const settings = yield* IssuanceSettings
  yield* checkPassphrase(row.passphrase, settings.networkPassphrase)
  if (row.asset_code !== settings.assetCode || row.asset_issuer !== settings.assetIssuer) {
    return yield* new IssuanceRefused({
      code: "wrong_asset",
      message: `This database issues ${row.asset_code}:${row.asset_issuer}, but the settings say ${settings.assetCode}:${settings.assetIssuer}: correct NOVA_ASSET_CODE and NOVA_ASSET_ISSUER, or use a fresh database.`,
    })
  }
  const latest = yield* rpc.getLatestLedger
  if (BigInt(latest.sequence) < row.known_ledger) {
    return yield* new IssuanceRefused({
      code: "network_was_reset",
      message: `The network is at ledger ${latest.sequence}, but this database has already seen ledger ${row.known_ledger}: the network was reset, or the node lags far behind.`,
    })
  }
  yield* checkHash(row.known_ledger, row.known_ledger_hash)
  yield* checkHash(row.first_ledger, row.first_ledger_hash)
  return latest
})

/**
 * Checks the node against the database's network, and adopts the network when the database has none yet.
 *
 * @error IssuanceRefused when it is another network; SorobanRpcError when the node gives no answer
 */
export const verifyNetwork = Effect.fn("NetworkIdentity.verifyNetwork")(function* () {
  const sql = yield* SqlClient.SqlClient
  const rpc = yield* SorobanRpc
  const settings = yield* IssuanceSettings
  const network = yield* rpc.getNetwork
  yield* checkPassphrase(settings.networkPassphrase, network.passphrase)
  const latest = yield* rpc.getLatestLedger
  const now = new Date(yield* Clock.currentTimeMillis)
  yield* sql`
    INSERT INTO network_identity (id, passphrase, asset_code, asset_issuer, first_ledger, first_ledger_hash,
      known_ledger, known_ledger_hash, created_at, updated_at)
    VALUES (1, ${network.passphrase}, ${settings.assetCode}, ${settings.assetIssuer}, ${latest.sequence},
      ${latest.hash}, ${latest.sequence}, ${latest.hash}, ${now}, ${now})
    ON CONFLICT (id) DO NOTHING`.pipe(Effect.orDie)
  const [row] = yield* sql<IdentityRow>`SELECT * FROM network_identity WHERE id = 1`.pipe(Effect.orDie)
  if (row === undefined) return yield* Effect.die(new Error("network_identity has no row after its insert"))
  const seen = yield* compare(row).pipe(
    Effect.retry({
      schedule: LAG_ALLOWANCE,
      while: (error) => error._tag === "IssuanceRefused" && error.code === "network_was_reset",
    }),
  )
  yield* rememberLedger(seen)
})

/** Moves the newest known ledger forward, never back. */
export const rememberLedger = Effect.fn("NetworkIdentity.rememberLedger")(function* (ledger: {
  readonly sequence: number
  readonly hash: string
}) {
  const sql = yield* SqlClient.SqlClient
  const now = new Date(yield* Clock.currentTimeMillis)
  yield* sql`
    UPDATE network_identity SET known_ledger = ${ledger.sequence}, known_ledger_hash = ${ledger.hash},
      updated_at = ${now}
    WHERE id = 1 AND known_ledger < ${ledger.sequence}`.pipe(Effect.orDie)
})
