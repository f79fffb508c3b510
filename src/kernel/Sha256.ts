/** SHA-256 (FIPS 180-4) of a text's UTF-8 bytes: 32 bytes. */
import { createHash } from "node:crypto"

export const sha256 = (text: string): Uint8Array =>
  new Uint8Array(createHash("sha256").update(text, "utf8").digest())
