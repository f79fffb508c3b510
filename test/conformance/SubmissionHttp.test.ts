/** What only a wire can do to a submission, and what only one rail can say; and backups behind the preferred address. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { Submission, type SubmissionError } from "../../src/ports/Submission.ts"
import { alice, bob } from "../localnet/faults/Scene.ts"
import { live } from "../support/it.ts"
import { answering, paymentOf, type RailName, railAt } from "./Rails.ts"

const payment = paymentOf(alice, 1n, bob)
/** Nothing listens there: port 9 is discard's, and refused. */
const NOWHERE = "http://127.0.0.1:9"
/** Longer than the test waits. */
const LONG_MS = 60_000

const submitTo = (rail: RailName, urls: ReadonlyArray<string>, timeoutMs?: number) =>
  Effect.flatMap(Submission, (port) => port.submit(payment.envelopeXdr)).pipe(
    Effect.provide(railAt(rail, urls, timeoutMs), { local: true }),
  )

const problem = (status: number, name: string) => () =>
  Response.json({ type: `https://stellar.org/horizon-errors/${name}`, title: name, status }, { status })

const rpcResult = (result: Record<string, unknown>) => () => Response.json({ jsonrpc: "2.0", id: 1, result })
const rpcError = (code: number, message: string) => () =>
  Response.json({ jsonrpc: "2.0", id: 1, error: { code, message } })

const HASH = "ab".repeat(32)

/** The queue's PENDING in the words of each rail. */
const pending: Record<RailName, () => Response> = {
  rpc: rpcResult({ status: "PENDING", hash: HASH, latestLedger: 7, latestLedgerCloseTime: "1" }),
  horizon: () => Response.json({ tx_status: "PENDING", hash: HASH }, { status: 201 }),
}

const refusesTheBytes: Record<RailName, () => Response> = {
  rpc: rpcError(-32602, "invalid_xdr"),
  horizon: problem(400, "transaction_malformed"),
}

const bothRails = ["rpc", "horizon"] as const

for (const rail of bothRails) {
  describe(`${rail} over HTTP`, () => {
    const unknown = (
      title: string,
      answer: () => Response | Promise<Response>,
      reason: SubmissionError["reason"],
      timeoutMs?: number,
    ) =>
      live(title, () =>
        Effect.gen(function* () {
          const { url } = yield* answering(answer)
          const error = yield* Effect.flip(submitTo(rail, [url], timeoutMs))
          expect([error._tag, error.reason, error.retry]).toEqual([
            "SubmissionError",
            reason,
            "unknown_outcome",
          ])
        }),
      )

    live("nobody is there", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(submitTo(rail, [NOWHERE]))
        expect([error.reason, error.retry]).toEqual(["unreachable", "unknown_outcome"])
      }),
    )
    unknown("no answer in time", () => Bun.sleep(LONG_MS).then(() => new Response()), "timeout", 50)
    unknown("502 of a gateway", () => new Response("Bad Gateway", { status: 502 }), "server_error")
    unknown("429 of a gateway", () => new Response("slow down", { status: 429 }), "rate_limited")
    unknown("504 of a gateway", () => new Response("", { status: 504 }), "timeout")
  })
}

describe("rpc over HTTP alone", () => {
  const unknown = (title: string, answer: () => Response, reason: SubmissionError["reason"]) =>
    live(title, () =>
      Effect.gen(function* () {
        const { url } = yield* answering(answer)
        const error = yield* Effect.flip(submitTo("rpc", [url]))
        expect([error.reason, error.retry]).toEqual([reason, "unknown_outcome"])
      }),
    )
  unknown("a page instead of JSON-RPC", () => new Response("<html>"), "undecodable_answer")
  unknown("403 of a gateway", () => new Response("no", { status: 403 }), "undecodable_answer")
  unknown("an answer without a status", rpcResult({ hash: HASH }), "undecodable_answer")
  unknown(
    "a status that it does not know",
    rpcResult({ status: "FILTERED", hash: HASH, latestLedger: 7 }),
    "undecodable_answer",
  )
  unknown("its internal error, which it makes of such a status", rpcError(-32603, "internal"), "server_error")
})

describe("horizon over HTTP alone", () => {
  const unknown = (title: string, answer: () => Response, reason: SubmissionError["reason"]) =>
    live(title, () =>
      Effect.gen(function* () {
        const { url } = yield* answering(answer)
        const error = yield* Effect.flip(submitTo("horizon", [url]))
        expect([error.reason, error.retry]).toEqual([reason, "unknown_outcome"])
      }),
    )
  // The problems of services/horizon/internal/actions/submit_transaction_async.go.
  unknown(
    "500 for a status that it does not know",
    problem(500, "transaction_submission_invalid_status"),
    "server_error",
  )
  unknown("500 for an exception of core", problem(500, "transaction_submission_exception"), "server_error")
  unknown("503 while core is out of sync", problem(503, "stale_history"), "server_error")
  unknown(
    "403 where it takes no submissions",
    problem(403, "transaction_submission_disabled"),
    "server_error",
  )
  unknown("404 of a gateway", () => new Response("", { status: 404 }), "server_error")
  unknown("a page instead of a status", () => new Response("<html>"), "undecodable_answer")
  unknown(
    "a status that nobody knows",
    () => Response.json({ tx_status: "FILTERED", hash: HASH }, { status: 201 }),
    "undecodable_answer",
  )

  live("503 with a tx_status is the queue's TRY_AGAIN_LATER", () =>
    Effect.gen(function* () {
      const { url } = yield* answering(() =>
        Response.json({ tx_status: "TRY_AGAIN_LATER", hash: HASH }, { status: 503 }),
      )
      expect((yield* submitTo("horizon", [url])).status).toBe("TRY_AGAIN_LATER")
    }),
  )
})

for (const rail of bothRails) {
  describe(`${rail} with a backup`, () => {
    live("which is asked when nobody is there, with the same bytes", () =>
      Effect.gen(function* () {
        const [troubled, backup] = [
          yield* answering(() => new Response("", { status: 502 })),
          yield* answering(pending[rail]),
        ]
        const sent = yield* submitTo(rail, [NOWHERE, troubled.url, backup.url])
        expect([sent.status, sent.hash]).toEqual(["PENDING", HASH])
        expect(backup.bodies).toEqual(troubled.bodies)
        expect(backup.bodies.length).toBe(1)
      }),
    )

    live("which is left alone when there is an answer, or when the bytes are none", () =>
      Effect.gen(function* () {
        for (const [first, outcome] of [
          [pending[rail], "PENDING"],
          [refusesTheBytes[rail], "invalid_request"],
        ] as const) {
          const [preferred, backup] = [yield* answering(first), yield* answering(pending[rail])]
          const said = yield* submitTo(rail, [preferred.url, backup.url]).pipe(
            Effect.map(({ status }): string => status),
            Effect.catchTag("SubmissionError", ({ reason }) => Effect.succeed(reason)),
          )
          expect(said).toBe(outcome)
          expect(backup.bodies).toEqual([])
        }
      }),
    )

    live("whose refusal does not hide that the preferred one may have taken the bytes", () =>
      Effect.gen(function* () {
        const [preferred, backup] = [
          yield* answering(() => new Response("", { status: 504 })),
          yield* answering(refusesTheBytes[rail]),
        ]
        const error = yield* Effect.flip(submitTo(rail, [preferred.url, backup.url]))
        expect([error.reason, error.retry]).toEqual(["timeout", "unknown_outcome"])
        expect(backup.bodies.length).toBe(1)
      }),
    )
  })
}
