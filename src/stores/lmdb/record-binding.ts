/** Which record a data directory belongs to: its own, or one in Redis that it is a replica of. */
import { ScreeningError } from '../../domain/errors.ts'
import type { Environment } from './environment.ts'
import { LIVE_SPACE, makeKey } from './keys.ts'
import { encodeJson } from './values.ts'
import type { WriteSet } from './write-set.ts'

export type RecordBinding = {
  /** 32 hexadecimal digits. */
  readonly recordId: string
  /** What Redis was when the node joined: a client for it can be made while it is away. */
  readonly redis: 'single' | 'cluster'
  /** Everything in the record was here once: from then on the node can go on from what it has. */
  readonly isWhole: boolean
  /** Derived from the pseudonym key of the record; missing where an earlier version joined and has not met Redis since. */
  readonly pseudonymCheck?: string
  readonly boundMs: number
}

const BINDING_KEY = makeKey(LIVE_SPACE.meta, { text: 'record' })
/** Spaces that are empty in a directory nothing was ever written to. */
const CONTENT_SPACES = [LIVE_SPACE.report, LIVE_SPACE.list, LIVE_SPACE.policyVersion, LIVE_SPACE.change]

/** Undefined: the directory is its own record. */
export function bindingOf(environment: Environment): RecordBinding | undefined {
  return environment.json<RecordBinding>(BINDING_KEY)
}

export function bindTo(writes: WriteSet, binding: Omit<RecordBinding, 'boundMs'>): void {
  writes.put(BINDING_KEY, encodeJson({ ...binding, boundMs: writes.nowMs } satisfies RecordBinding))
}

export function unbindFrom(writes: WriteSet): void {
  writes.remove(BINDING_KEY)
}

/** Throws CONFIG_INVALID for a replica. */
export function assertOwnRecord(environment: Environment): void {
  if (bindingOf(environment) === undefined) return
  throw new ScreeningError('CONFIG_INVALID', 'The data directory is a replica of a record in Redis.', {
    hint: 'Set ZASLON_REDIS_URL; or make the directory a record of its own with: zaslon migrate to-embedded',
  })
}

/** Throws CONFIG_INVALID for a directory that holds a record of its own. */
export function assertReplica(environment: Environment): void {
  if (bindingOf(environment) !== undefined || isEmpty(environment)) return
  throw new ScreeningError(
    'CONFIG_INVALID',
    'The data directory holds a record of its own, which Redis does not have.',
    {
      hint: 'Move it into Redis with: zaslon migrate to-redis; or use another data directory, or unset ZASLON_REDIS_URL.',
    },
  )
}

function isEmpty(environment: Environment): boolean {
  let rows = 0
  for (const space of CONTENT_SPACES) environment.scan({ prefix: makeKey(space), limit: 1 }, () => rows++)
  return rows === 0
}
