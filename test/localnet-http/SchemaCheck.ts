/**
 * As much of JSON Schema as the two API descriptions use: $ref, allOf/anyOf/oneOf, type, nullable, enum,
 * properties, required, items, lengths, pattern, maxItems. Unknown keywords that would restrict are an error,
 * so that nothing is silently unchecked.
 */
export type Schema = Readonly<Record<string, unknown>>

const CHECKED = new Set([
  "$ref",
  "allOf",
  "anyOf",
  "oneOf",
  "type",
  "nullable",
  "enum",
  "properties",
  "required",
  "items",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "additionalProperties",
])
const IGNORED = new Set([
  "title",
  "description",
  "example",
  "examples",
  "format",
  "deprecated",
  "contentEncoding",
  "summary",
])

const typeOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "array"
  return typeof value
}

const hasType = (value: unknown, type: string): boolean =>
  type === "integer" ? Number.isInteger(value) : typeOf(value) === type

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  value as Readonly<Record<string, unknown>>

/** Follows `#/a/b` within the document. */
const resolve = (document: unknown, reference: string): Schema => {
  let at: unknown = document
  for (const part of reference.replace(/^#\//, "").split("/")) at = asObject(at)[part.replaceAll("~1", "/")]
  if (typeof at !== "object" || at === null) throw new Error(`no such reference: ${reference}`)
  return asObject(at)
}

const checkScalar = (schema: Schema, value: unknown, path: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const types = schema.type === undefined ? [] : [schema.type].flat().map(String)
  const isNull = value === null && (schema.nullable === true || types.includes("null"))
  if (types.length > 0 && !isNull && !types.some((type) => hasType(value, type))) {
    return [`${path}: ${typeOf(value)} is not ${types.join(" or ")}`]
  }
  if (Array.isArray(schema.enum) && !schema.enum.includes(value))
    found.push(`${path}: not among the values listed`)
  if (typeof value === "string") {
    const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = asObject(schema)
    if (value.length < Number(minLength) || value.length > Number(maxLength)) found.push(`${path}: length`)
    if (pattern !== undefined && !new RegExp(String(pattern)).test(value)) found.push(`${path}: pattern`)
  }
  if (Array.isArray(value)) {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = asObject(schema)
    if (value.length < Number(minItems) || value.length > Number(maxItems)) found.push(`${path}: item count`)
  }
  return found
}

/** Violations as `path: reason`, list positions written as `[]`. */
export const violations = (
  document: unknown,
  schema: Schema,
  value: unknown,
  path = "$",
): ReadonlyArray<string> => {
  for (const key of Object.keys(schema)) {
    if (!CHECKED.has(key) && !IGNORED.has(key)) throw new Error(`unchecked keyword ${key} at ${path}`)
  }
  if (typeof schema.$ref === "string")
    return violations(document, resolve(document, schema.$ref), value, path)
  const found = [...checkScalar(schema, value, path)]
  for (const part of (schema.allOf as ReadonlyArray<Schema> | undefined) ?? []) {
    found.push(...violations(document, part, value, path))
  }
  const options = (schema.anyOf ?? schema.oneOf) as ReadonlyArray<Schema> | undefined
  if (options !== undefined) {
    const failures = options.map((option) => violations(document, option, value, path))
    if (!failures.some((failure) => failure.length === 0)) found.push(`${path}: matches no alternative`)
  }
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const item of value) found.push(...violations(document, asObject(schema.items), item, `${path}[]`))
  }
  if (typeOf(value) !== "object") return found
  const fields = asObject(value)
  for (const name of (schema.required as ReadonlyArray<string> | undefined) ?? []) {
    if (!(name in fields)) found.push(`${path}.${name}: missing`)
  }
  for (const [name, inner] of Object.entries(asObject(schema.properties ?? {}))) {
    if (name in fields) found.push(...violations(document, asObject(inner), fields[name], `${path}.${name}`))
  }
  return found
}

/** Fields of an example that the value lacks or has with another JSON type, list positions written as `[]`. */
export const shapeDifferences = (example: unknown, value: unknown, path = "$"): ReadonlyArray<string> => {
  if (typeOf(example) !== typeOf(value))
    return [`${path}: ${typeOf(value)}, in the example ${typeOf(example)}`]
  if (Array.isArray(example) && Array.isArray(value)) {
    // Lists hold different kinds (balances, operations): the first of each is compared.
    const isComparable = example.length > 0 && value.length > 0
    return isComparable ? shapeDifferences(example[0], value[0], `${path}[]`) : []
  }
  if (typeOf(example) !== "object") return []
  const fields = asObject(value)
  return Object.entries(asObject(example)).flatMap(([name, inner]) =>
    name in fields ? shapeDifferences(inner, fields[name], `${path}.${name}`) : [`${path}.${name}: missing`],
  )
}
