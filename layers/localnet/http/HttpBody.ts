/** Reads a body of at most `bytesMax`; undefined where it is longer, which is found out without reading on. */
export const readBody = async (request: Request, bytesMax: number): Promise<string | undefined> => {
  const declared = Number(request.headers.get("content-length") ?? "0")
  if (declared > bytesMax) return undefined
  if (request.body === null) return ""
  const chunks: Array<Uint8Array> = []
  let length = 0
  for await (const chunk of request.body) {
    length += chunk.length
    if (length > bytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}
