/**
 * The `Prefer` header, of which one preference is known here: `wait`, in whole seconds. What cannot be read is no
 * preference, and is ignored as RFC 7240, section 2, asks for; so are all others.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc7240
 */
export const WAIT_S_MAX = 60
export const WAIT_S_DEFAULT = 30

/** preference = token [ BWS "=" BWS word ] *( OWS ";" [ OWS parameter ] ); its parameters are cut off before. */
const WAIT = /^wait[ \t]*=[ \t]*(?:([0-9]+)|"([0-9]+)")$/i

/**
 * Seconds to wait, 1-60, where the client has stated how many; undefined where it has not. A longer or shorter wish
 * gets the nearest that there is. The first of several wins.
 */
export const preferredWaitS = (header: string | undefined): number | undefined => {
  for (const preference of header?.split(",") ?? []) {
    const [, token, quoted] = WAIT.exec((preference.split(";")[0] ?? "").trim()) ?? []
    const digits = token ?? quoted
    if (digits !== undefined) return Math.min(Math.max(Number(digits), 1), WAIT_S_MAX)
  }
  return undefined
}
