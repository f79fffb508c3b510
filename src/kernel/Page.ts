/**
 * One page of a list, newest first. Ids are ULIDs, so the order of ids is the order of making, and a cursor stays
 * valid while rows are added.
 */
export interface PageRequest {
  /** 1-100. */
  readonly limit: number
  /** Older than this id. */
  readonly startingAfter?: string | undefined
  /** Newer than this id; the page that ends right before it. Not together with `startingAfter`. */
  readonly endingBefore?: string | undefined
}

export interface Page<A> {
  readonly data: ReadonlyArray<A>
  /** Whether there are more in the direction of the request. */
  readonly hasMore: boolean
}

/** Rows to ask for: one more than the page holds shows whether there are more. */
export const rowsToFetch = (request: PageRequest): number => request.limit + 1

/** The page of rows that were read in the direction of the request: ascending for `endingBefore`. */
export const pageOf = <A>(rows: ReadonlyArray<A>, request: PageRequest): Page<A> => {
  const data = rows.slice(0, request.limit)
  if (request.endingBefore !== undefined) data.reverse()
  return { data, hasMore: rows.length > request.limit }
}
