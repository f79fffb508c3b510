import type { Network } from "../Network.ts"
import { accountList } from "./AccountList.ts"
import { accountDataResource, accountEntry, accountResource, requireAccountId } from "./AccountResource.ts"
import { assetList } from "./AssetList.ts"
import { claimableBalanceList } from "./ClaimableBalanceList.ts"
import { claimableBalanceById } from "./ClaimableBalanceResource.ts"
import {
  type Collection,
  ledgerCollection,
  operationCollection,
  transactionCollection,
} from "./Collections.ts"
import type { Friendbot } from "./Friendbot.ts"
import type { Scope } from "./History.ts"
import { type HorizonAnswer, type HorizonRequest, resource } from "./HorizonMessage.ts"
import type { Inclusion } from "./Inclusion.ts"
import { ledgerResource } from "./LedgerResource.ts"
import { operationResource, operationsOf } from "./OperationResource.ts"
import { readIncludeFailed, readJoin, readPathInteger } from "./Page.ts"
import { beforeHistory, invalidField, notFound, notImplemented } from "./Problems.ts"
import { type Links, linksOf } from "./Render.ts"
import { feeStatsResource, rootResource } from "./RootResource.ts"
import { accountAnswer, collectionAnswer } from "./Streamable.ts"
import { appliedResource, submitAndWait, submitAsync } from "./Submit.ts"
import { parseToid } from "./Toid.ts"
import { transactionResource } from "./TransactionResource.ts"

export interface HorizonServices {
  readonly network: Network
  readonly inclusion: Inclusion
  readonly friendbot: Friendbot
  readonly submissionTimeoutMs: number
}

/** What a route gets: the services, the request, its links, and the named segments of its path. */
interface Call {
  readonly services: HorizonServices
  readonly request: HorizonRequest
  readonly links: Links
  readonly segment: (name: string) => string
}

type Handler = (call: Call) => HorizonAnswer | Promise<HorizonAnswer>

const readTransactionHash = (text: string): string => {
  if (/^[\da-f]{64}$/.test(text)) return text
  throw invalidField("tx_id", "Transaction hash must be a hex-encoded, lowercase SHA-256 hash")
}

const readLedger = (network: Network, text: string): number => {
  const reason = "Ledger ID must be an integer higher than 0"
  const sequence = Number(readPathInteger("ledger_id", text, reason))
  if (sequence < 1) throw invalidField("ledger_id", reason)
  if (sequence < network.oldestLedger()) throw beforeHistory()
  if (sequence > network.latest().sequence) throw notFound()
  return sequence
}

const allScope = (): Scope => ({ kind: "all" })

const ledgerScope = ({ services, segment }: Call): Scope => ({
  kind: "ledger",
  sequence: readLedger(services.network, segment("ledger_id")),
})

const accountScope = ({ services, segment }: Call): Scope => {
  const address = requireAccountId(segment("account_id"))
  const { network } = services
  const isKnown = accountEntry(network, address) !== undefined || network.transactionsOf(address).length > 0
  if (!isKnown) throw notFound()
  return { kind: "account", address }
}

const findTransaction = ({ services, segment }: Call) => {
  const hash = readTransactionHash(segment("tx_id"))
  const transaction = services.network.transaction(hash)
  if (transaction === undefined || transaction.ledger < services.network.oldestLedger()) throw notFound()
  return { hash, transaction }
}

const transactionScope = (call: Call): Scope => ({
  kind: "transaction",
  transaction: findTransaction(call).transaction,
})

const listed = (call: Call, collection: Collection): HorizonAnswer =>
  collectionAnswer(call.services.network, call.request, collection)

const transactionsIn =
  (scopeOf: (call: Call) => Scope): Handler =>
  (call) => {
    const { network } = call.services
    const includeFailed = readIncludeFailed(call.request.query)
    return listed(call, transactionCollection(network, call.links, scopeOf(call), includeFailed))
  }

const operationsIn =
  (scopeOf: (call: Call) => Scope, onlyPayments = false): Handler =>
  (call) => {
    const { query } = call.request
    const filter = {
      scope: scopeOf(call),
      includeFailed: readIncludeFailed(query),
      onlyPayments,
      withTransaction: readJoin(query),
    }
    return listed(call, operationCollection(call.services.network, call.links, filter))
  }

const operationById: Handler = ({ services, request, links, segment }) => {
  const { network } = services
  const id = readPathInteger("id", segment("id"), "Operation ID must be an integer higher than 0")
  const at = parseToid(id)
  if (at.ledger < network.oldestLedger()) throw beforeHistory()
  const transaction = network.ledger(at.ledger)?.transactions[at.transaction - 1]
  const operation = transaction === undefined ? undefined : operationsOf(transaction)[at.operation - 1]
  if (operation === undefined) throw notFound()
  return resource(operationResource(links, operation, readJoin(request.query)))
}

const friendbot: Handler = async ({ services, request, links }) => {
  const address = request.form.get("addr") || request.query.get("addr") || ""
  const transaction = await services.friendbot(address)
  return resource(appliedResource(links, transaction, transaction.hash))
}

const account: Handler = ({ services, request, links, segment }) => {
  const address = requireAccountId(segment("account_id"))
  return accountAnswer(request, () => accountResource(services.network, links, address))
}

const ledger: Handler = ({ services, links, segment }) => {
  const found = services.network.ledger(readLedger(services.network, segment("ledger_id")))
  if (found === undefined) throw notFound()
  return resource(ledgerResource(links, found))
}

const refuse: Handler = () => {
  throw notImplemented()
}

const get: Readonly<Record<string, Handler>> = {
  "/": ({ services, links }) => resource(rootResource(services.network, links)),
  "/fee_stats": ({ services }) => resource(feeStatsResource(services.network)),
  "/friendbot": friendbot,
  "/accounts": ({ services, request, links }) => accountList(services.network, links, request),
  "/accounts/:account_id": account,
  "/accounts/:account_id/data/:key": ({ services, segment }) =>
    resource(accountDataResource(services.network, requireAccountId(segment("account_id")), segment("key"))),
  "/accounts/:account_id/transactions": transactionsIn(accountScope),
  "/accounts/:account_id/operations": operationsIn(accountScope),
  "/accounts/:account_id/payments": operationsIn(accountScope, true),
  "/assets": ({ services, request }) => assetList(services.network, request),
  "/claimable_balances": ({ services, request, links }) =>
    claimableBalanceList(services.network, links, request),
  "/claimable_balances/:balance_id": ({ services, links, segment }) =>
    resource(claimableBalanceById(services.network, links, segment("balance_id"))),
  "/ledgers": (call) => listed(call, ledgerCollection(call.services.network, call.links)),
  "/ledgers/:ledger_id": ledger,
  "/ledgers/:ledger_id/transactions": transactionsIn(ledgerScope),
  "/ledgers/:ledger_id/operations": operationsIn(ledgerScope),
  "/ledgers/:ledger_id/payments": operationsIn(ledgerScope, true),
  "/transactions": transactionsIn(allScope),
  "/transactions/:tx_id": (call) => {
    const { hash, transaction } = findTransaction(call)
    return resource(transactionResource(call.links, transaction, hash))
  },
  "/transactions/:tx_id/operations": operationsIn(transactionScope),
  "/transactions/:tx_id/payments": operationsIn(transactionScope, true),
  "/operations": operationsIn(allScope),
  "/operations/:id": operationById,
  "/payments": operationsIn(allScope, true),
}

/** Resources of Horizon that this network does not have: said so, in Horizon's own words for it. */
const refused = [
  "/accounts/:account_id/effects",
  "/accounts/:account_id/offers",
  "/accounts/:account_id/trades",
  "/claimable_balances/:balance_id/operations",
  "/claimable_balances/:balance_id/transactions",
  "/effects",
  "/ledgers/:ledger_id/effects",
  "/liquidity_pools",
  "/liquidity_pools/:id",
  "/offers",
  "/offers/:id",
  "/operations/:id/effects",
  "/order_book",
  "/paths",
  "/paths/strict-receive",
  "/paths/strict-send",
  "/trade_aggregations",
  "/trades",
  "/transactions/:tx_id/effects",
]

const post: Readonly<Record<string, Handler>> = {
  "/friendbot": friendbot,
  "/transactions": ({ services, request }) =>
    submitAndWait(services.network, services.inclusion, services.submissionTimeoutMs, request),
  "/transactions_async": ({ services, request }) => submitAsync(services.network, request),
}

interface Route {
  readonly method: "GET" | "POST"
  readonly segments: ReadonlyArray<string>
  readonly handler: Handler
}

const splitPath = (path: string): ReadonlyArray<string> => path.split("/").filter((part) => part !== "")

const routesFor = (method: "GET" | "POST", table: Readonly<Record<string, Handler>>): ReadonlyArray<Route> =>
  Object.entries(table).map(([pattern, handler]) => ({ method, segments: splitPath(pattern), handler }))

const routes: ReadonlyArray<Route> = [
  ...routesFor("GET", get),
  ...routesFor("GET", Object.fromEntries(refused.map((pattern) => [pattern, refuse]))),
  ...routesFor("POST", post),
]

const matches = (route: Route, path: ReadonlyArray<string>): boolean =>
  route.segments.length === path.length &&
  route.segments.every((segment, index) => segment.startsWith(":") || segment === path[index])

const decodeSegment = (name: string, text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidField(name, "invalid value")
  }
}

/**
 * Answers a Horizon request.
 * @throws HorizonProblem
 */
export const routeHorizon = (
  services: HorizonServices,
  request: HorizonRequest,
): HorizonAnswer | Promise<HorizonAnswer> => {
  const path = splitPath(request.path)
  const candidates = routes.filter((route) => matches(route, path))
  if (candidates.length === 0) throw notFound()
  const route = candidates.find(({ method }) => method === request.method)
  if (route === undefined) return { kind: "methodNotAllowed" }
  const segment = (name: string): string => {
    const text = path[route.segments.indexOf(`:${name}`)]
    if (text === undefined) throw new Error(`route has no segment ${name}`)
    return decodeSegment(name, text)
  }
  return route.handler({ services, request, links: linksOf(request.baseUrl), segment })
}
