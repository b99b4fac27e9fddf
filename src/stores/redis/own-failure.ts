import { ScreeningError } from '../../domain/errors.ts'

/** This node's disk refused, or a fault of ours: nothing that Redis could mend. */
export class OwnFailure extends Error {}

export function ownFailure(cause: unknown): never {
  throw new OwnFailure(cause instanceof Error ? cause.message : String(cause), { cause })
}

/** What lists.mdb refuses, a full disk most of all, is this node's; the rest is of Redis. */
export function fetchFailure(error: unknown): never {
  const isOurs = error instanceof ScreeningError && (error.code === 'STORAGE_FULL' || error.code === 'STORAGE_FAILED')
  if (isOurs) return ownFailure(error)
  throw error
}
