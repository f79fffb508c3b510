/** Which words the tests of a file expect, read from their text: so that a list of what is tested can be checked. */

/** From an opening bracket to the one that closes it; strings may hold brackets. */
const balanced = (text: string, from: number): string => {
  let depth = 0
  let quote = ""
  for (let at = from; at < text.length; at++) {
    const letter = text[at] ?? ""
    if (quote !== "") {
      if (letter === "\\") at++
      else if (letter === quote) quote = ""
    } else if (letter === '"' || letter === "`") quote = letter
    else if ("([{".includes(letter)) depth++
    else if (")]}".includes(letter) && --depth === 0) return text.slice(from, at + 1)
  }
  throw new Error("a bracket that nothing closes")
}

const strings = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/"([^"\\]*)"/g)].map((match) => match[1] ?? "")

/** Constants of the test that stand for lists or objects: `const refused = [...]`. */
const constants = (body: string): ReadonlyMap<string, string> =>
  new Map(
    [...body.matchAll(/\bconst (\w+) = (?=[[{])/g)].map((match) => [
      match[1] ?? "",
      balanced(body, match.index + match[0].length),
    ]),
  )

/**
 * The strings that stand in what a matcher of this test expects: neither comments nor inputs count, nor what is
 * `.not` expected, nor what is expected on a condition alone.
 */
const expectedIn = (body: string): ReadonlySet<string> => {
  const known = constants(body)
  const found = new Set<string>()
  for (const match of body.matchAll(/(\.not)?\.(?:toBe|toEqual|toMatchObject)(?=\()/g)) {
    const argument = balanced(body, match.index + match[0].length)
    if (match[1] !== undefined || /\s\?\s/.test(argument)) continue
    const names = [...argument.matchAll(/\b\w+\b/g)].map(([name]) => known.get(name) ?? "")
    for (const one of strings([argument, ...names].join(" "))) found.add(one)
  }
  return found
}

/** Test title to the strings that it expects. Tests that are skipped or to be written are none. */
export const expectedByTest = (source: string): ReadonlyMap<string, ReadonlySet<string>> => {
  const text = source.replaceAll(/^\s*\/\/.*$/gm, "")
  return new Map(
    [...text.matchAll(/^ *test(?=\("([^"]+)", (?:async )?\(\) => \{$)/gm)].map((match) => [
      match[1] ?? "",
      expectedIn(balanced(text, match.index + match[0].length)),
    ]),
  )
}
