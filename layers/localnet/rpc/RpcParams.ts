import { invalidParams } from "./RpcFault.ts"

/**
 * Parameters by name. Stellar RPC accepts an object only (positional arguments are switched off, so that
 * arguments can be added later) and ignores names it does not know; a wrong type is -32602.
 */
export type RpcParams = Readonly<Record<string, unknown>>

const UINT32_MAX = 4_294_967_295

/** @throws RpcFault -32602 where the parameters are not an object. Absent and null mean none. */
export const readParams = (raw: unknown): RpcParams => {
  if (raw === undefined || raw === null) return {}
  if (typeof raw !== "object" || Array.isArray(raw)) {
    throw invalidParams("invalid parameters: an object of named parameters is expected")
  }
  return raw as RpcParams
}

const mismatch = (name: string, value: unknown, wanted: string) => {
  const given = Array.isArray(value) ? "array" : typeof value
  return invalidParams(`invalid parameters: cannot use ${given} as field ${name} of type ${wanted}`)
}

/** A string, or "" where absent or null, as a Go struct field decodes. */
export const stringParam = (params: RpcParams, name: string): string => {
  const value = params[name] ?? ""
  if (typeof value !== "string") throw mismatch(name, value, "string")
  return value
}

/** An unsigned 32-bit integer, or 0 where absent or null. */
export const uint32Param = (params: RpcParams, name: string): number => {
  const value = params[name] ?? 0
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > UINT32_MAX) {
    throw mismatch(name, value, "uint32")
  }
  return value
}

/** An array of strings, or [] where absent or null. */
export const stringsParam = (params: RpcParams, name: string): ReadonlyArray<string> => {
  const value = params[name] ?? []
  if (!Array.isArray(value)) throw mismatch(name, value, "array")
  for (const item of value) if (typeof item !== "string") throw mismatch(name, item, "string")
  return value
}

/** A nested object, or undefined where absent or null. */
export const objectParam = (params: RpcParams, name: string): RpcParams | undefined => {
  const value = params[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== "object" || Array.isArray(value)) throw mismatch(name, value, "object")
  return value as RpcParams
}

/**
 * Stellar RPC can also answer with XDR unpacked as JSON (`xdrFormat: "json"`). This network does not, and
 * says so instead of answering base64 to someone who asked for something else.
 */
export const requireBase64 = (params: RpcParams): void => {
  const format = stringParam(params, "xdrFormat")
  if (format === "json") {
    throw invalidParams(`xdrFormat "json" is not supported by this network: use "base64"`)
  }
  if (format !== "" && format !== "base64") {
    throw invalidParams(`expected base64 for optional 'xdrFormat', got '${format}'`)
  }
}
