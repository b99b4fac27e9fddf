/** This node's disk refused, or a fault of ours: nothing that Redis could mend. */
export class OwnFailure extends Error {}

export function ownFailure(cause: unknown): never {
  throw new OwnFailure(cause instanceof Error ? cause.message : String(cause), { cause })
}
