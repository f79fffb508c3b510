/** A wire to the test's database that can be cut or held: to the API, PostgreSQL is then gone, or silent. */
import { mkdtempSync, rmSync } from "node:fs"
import { connect, createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import { connectionTo } from "../../layers/db/EmbeddedPostgres.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const SOCKET = ".s.PGSQL.5432"

const makeProxy = (upstream: string, path: string) => {
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let held = false

  const forward = (from: Socket, to: Socket) => {
    sockets.add(from)
    from.on("data", (bytes) => {
      if (!held) to.write(bytes)
    })
    from.on("close", () => {
      sockets.delete(from)
      to.destroy()
    })
    from.on("error", () => {})
  }

  const open = () =>
    new Promise<void>((resolve) => {
      server = createServer((client) => {
        const database = connect(upstream)
        forward(client, database)
        forward(database, client)
      })
      server.listen(path, resolve)
    })

  const cut = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy()
      server?.close(() => resolve())
    })

  return {
    /** The database is there (again). */
    open: Effect.promise(async () => {
      held = false
      await open()
    }),
    /** Every connection breaks, and nobody listens any more. */
    cut: Effect.promise(cut),
    /** Connections stay, but not a byte passes until they are cut. */
    hold: Effect.sync(() => {
      held = true
    }),
  }
}

export class DatabaseProxy extends Context.Service<DatabaseProxy, ReturnType<typeof makeProxy>>()(
  "nova/test/DatabaseProxy",
) {
  /** The proxy, open, and an SqlClient that goes through it. */
  static readonly layer = Layer.unwrap(
    Effect.gen(function* () {
      const { socketDir, database } = yield* TestDatabase
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "nova-proxy-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
      )
      const proxy = yield* Effect.acquireRelease(
        Effect.sync(() => makeProxy(join(socketDir, SOCKET), join(directory, SOCKET))),
        ({ cut }) => cut,
      )
      yield* proxy.open
      const client = PgClient.layer({
        url: Redacted.make(connectionTo(directory, database).url),
        maxConnections: 5,
        startupParameters: { timezone: "UTC" },
      })
      return Layer.merge(Layer.succeed(DatabaseProxy, proxy), Layer.orDie(client))
    }),
  ).pipe(Layer.provideMerge(TestDatabase.layerAddress))
}
