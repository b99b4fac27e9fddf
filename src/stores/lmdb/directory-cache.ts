import type { LayerId } from '../ports.ts'
import type { Environment } from './environment.ts'
import { LISTS_SPACE, makeKey } from './keys.ts'
import { type Directory, decodeDirectory } from './layer-format.ts'

/** Twice LISTS_MAX: a base and a delta each. 80 KB for 10 M numbers; when it is full it starts anew. */
const DIRECTORIES_MAX = 128

export type DirectoryCache = {
  /** The directory of a complete layer, undefined when there is none (nothing is remembered then). */
  get(layerId: LayerId): Directory | undefined
  forget(layerId: LayerId): void
}

/**
 * Layers are immutable, so what was read once stays true until a block carries another stamp: the layer was replaced, and its
 * reader calls `forget`. One cache per thread.
 */
export function createDirectoryCache(environment: Environment): DirectoryCache {
  const directories = new Map<LayerId, Directory>()
  return {
    get(layerId) {
      const known = directories.get(layerId)
      if (known !== undefined) return known
      environment.refresh()
      const bytes = environment.bytes(makeKey(LISTS_SPACE.layerDirectory, { u32: layerId }))
      if (bytes === undefined) return undefined
      const directory = decodeDirectory(bytes)
      if (directories.size >= DIRECTORIES_MAX) directories.clear()
      directories.set(layerId, directory)
      return directory
    },
    forget: (layerId) => void directories.delete(layerId),
  }
}
