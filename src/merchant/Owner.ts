/** Whose data a request is about: rows of another merchant, or of the other mode, do not exist for it. */
import { Context } from "effect"
import type { Mode } from "./ApiKey.ts"

export interface Owner {
  readonly merchantId: string
  readonly mode: Mode
}

/** The owner that the request's API key speaks for; provided by authentication. */
export class CurrentOwner extends Context.Service<CurrentOwner, Owner>()("nova/merchant/CurrentOwner") {}
