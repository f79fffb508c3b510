/** Any origin may read, as with the public Horizon and RPC servers (rs/cors with every origin allowed). */
export const corsHeaders = (request: Request): Readonly<Record<string, string>> => {
  const origin = request.headers.get("origin")
  if (origin === null) return { vary: "Origin" }
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "Date, Latest-Ledger",
  }
}

export const isPreflight = (request: Request): boolean =>
  request.method === "OPTIONS" && request.headers.has("access-control-request-method")

export const preflightResponse = (request: Request): Response => {
  const headers = request.headers.get("access-control-request-headers")
  return new Response(null, {
    status: 204,
    headers: {
      vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
      "access-control-allow-origin": request.headers.get("origin") ?? "*",
      "access-control-allow-methods": request.headers.get("access-control-request-method") ?? "GET",
      ...(headers === null ? {} : { "access-control-allow-headers": headers }),
    },
  })
}
