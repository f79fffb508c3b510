/**
 * JSON that can be read in one way only. `JSON.parse` takes the last of two equal names, other readers the first: a
 * gateway could check one amount and this program pay another, so a repeated name is refused (RFC 8259, section 4,
 * calls the behaviour unpredictable). Depth is limited, so that no body can exhaust the stack.
 */

/** Deeper than any body of this API; a body of this depth still costs nothing. */
export const DEPTH_MAX = 32

export interface InvalidJson {
  readonly _tag: "Invalid"
  readonly reason: string
  /** The name that is twice in one object, cut to 64 characters; absent for other faults and for an empty name. */
  readonly repeated?: string
}

export type StrictJson = { readonly _tag: "Valid"; readonly value: unknown } | InvalidJson

const NAME_LENGTH_MAX = 64

const invalid = (reason: string): InvalidJson => ({ _tag: "Invalid", reason })

const twice = (name: string): InvalidJson => {
  const shown = name.slice(0, NAME_LENGTH_MAX)
  const fault = invalid(`The name ${JSON.stringify(shown)} is twice in one object.`)
  return shown === "" ? fault : { ...fault, repeated: shown }
}

/** End of the string literal that starts at `start`: the index after its closing quote. */
const endOfString = (text: string, start: number): number => {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at + 1
}

/** What speaks against the text, found without parsing it: too deep, or a name twice in one object. */
const structureFault = (text: string): InvalidJson | undefined => {
  // The names seen in each open object; undefined for an open array.
  const open: Array<Set<string> | undefined> = []
  let mayBeName = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') {
      const end = endOfString(text, at)
      const names = open.at(-1)
      if (mayBeName && names !== undefined) {
        const literal = text.slice(at, end)
        const name = literal.includes("\\") ? unescapeName(literal) : literal.slice(1, -1)
        if (names.has(name)) return twice(name)
        names.add(name)
      }
      mayBeName = false
      at = end - 1
    } else if (character === "{" || character === "[") {
      if (open.push(character === "{" ? new Set() : undefined) > DEPTH_MAX)
        return invalid(`It is nested more than ${DEPTH_MAX} deep.`)
      mayBeName = character === "{"
    } else if (character === "}" || character === "]") {
      open.pop()
      mayBeName = false
    } else if (character === ",") {
      mayBeName = open.at(-1) !== undefined
    }
  }
  return undefined
}

/** "\u0061" and "a" are one name. A literal that is no JSON string stays as it is: parsing will refuse it. */
const unescapeName = (literal: string): string => {
  try {
    return String(JSON.parse(literal))
  } catch {
    return literal
  }
}

/** The value of a UTF-8 JSON text, or what is wrong with it, in a sentence that quotes at most a name of it. */
export const parseStrictJson = (bytes: Uint8Array): StrictJson => {
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return invalid("It is not valid UTF-8.")
  }
  const fault = structureFault(text)
  if (fault !== undefined) return fault
  try {
    return { _tag: "Valid", value: JSON.parse(text) }
  } catch {
    return invalid(text.trim() === "" ? "It is empty." : "It is not valid JSON.")
  }
}
