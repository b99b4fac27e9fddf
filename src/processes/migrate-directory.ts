import type { LoadedConfig } from '../config/load-config.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import type { LayerStore } from '../stores/layer-rows.ts'
import { openListContents } from '../stores/lmdb/list-contents.ts'
import { openReplica, type Replica } from '../stores/lmdb/replica.ts'
import type { ListContents } from '../stores/ports.ts'
import { openLayerStore } from '../stores/redis/open-layer-store.ts'
import type { RedisLink } from '../stores/redis/redis-link.ts'

/** Moves the record of a node that is stopped: into Redis, or out of it. */
export type MigrateOptions = {
  readonly config: Pick<LoadedConfig, 'redis'>
  readonly directory: DataDirectory
  readonly pseudonymKey: Uint8Array
}

export type Place = Pick<MigrateOptions, 'config' | 'directory'> & {
  readonly link: RedisLink
  readonly recordId: string
  readonly replica: Replica
  readonly contents: ListContents
}

/** A Redis that is slow or fails over for a moment ends no migration. */
export const PATIENCE_MS = 30_000

/** Opens what a stopped node has, for as long as `work` takes. */
export async function using<T>(
  directory: DataDirectory,
  { mayBeOwn }: { mayBeOwn: boolean },
  work: (opened: { replica: Replica; contents: ListContents }) => Promise<T>,
): Promise<T> {
  const replica = await openReplica({ directory: directory.root, mayBeOwn })
  try {
    const contents = openListContents({ directory: directory.root, readOnly: false })
    try {
      return await work({ replica, contents })
    } finally {
      await contents.close()
    }
  } finally {
    await replica.close()
  }
}

export function openStore(config: MigrateOptions['config'], link: RedisLink, recordId: string): LayerStore {
  return openLayerStore({ redis: config.redis, kind: link.kind, recordId }, { random: Math.random })
}

export function monotonic(): number {
  return performance.now()
}
