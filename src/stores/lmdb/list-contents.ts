/** The contents of list versions: lists.mdb. Written by job threads of the control process, read by everybody. */
import { join } from 'node:path'
import type { EntryDetails } from '../../domain/number-list.ts'
import { type LayerContents, type LayerId, type ListContents, NO_DETAILS, REMOVED } from '../ports.ts'
import { createDirectoryCache, type DirectoryCache } from './directory-cache.ts'
import { type Environment, openEnvironment } from './environment.ts'
import { type FormatSpec, settleFormat } from './format.ts'
import { KEY_PREFIX_BYTES, LISTS_SPACE, makeKey } from './keys.ts'
import {
  blockStamp,
  CHUNK_DICTIONARY,
  copyBlock,
  decodeRanges,
  detailsInBlock,
  findBlock,
  findInBlock,
  type LayerHeader,
  type NumbersInto,
} from './layer-format.ts'
import { storageError } from './storage-error.ts'
import { decodeJson } from './values.ts'
import { headerKey, layerMissing, removeLayer, writeLayer } from './write-layer.ts'
import { createRowWriter, readRows } from './write-rows.ts'

export const LISTS_FILE = 'lists.mdb'
const LISTS_FORMAT: FormatSpec = { name: LISTS_FILE, version: 1, migrations: [] }

/** More layers than VERSIONS_KEPT versions of LISTS_MAX lists can have. */
const LAYERS_MAX = 10_000

/** A dictionary entry for every row of a list of 256 million. */
const DICTIONARY_CHUNKS_MAX = 1_000_000

export type ListContentsOptions = {
  /** The data directory. */
  readonly directory: string
  /** Never mix read-only and writable in one process (environment.ts). */
  readonly readOnly: boolean
}

/**
 * Opens lists.mdb for this thread. A writable one belongs to the process that holds the record store: no lock is taken here.
 * Throws UNAVAILABLE (read-only and not there yet), STORAGE_FORMAT, STORAGE_FULL, STORAGE_FAILED.
 */
export function openListContents(options: ListContentsOptions): ListContents {
  return listContentsOf(openListsEnvironment(options))
}

export function openListsEnvironment(options: ListContentsOptions): Environment {
  const { directory, readOnly } = options
  const environment = openEnvironment({
    path: join(directory, LISTS_FILE),
    readOnly,
  })
  try {
    settleFormat(environment, LISTS_FORMAT)
    return environment
  } catch (error) {
    void environment.close()
    throw storageError(error, 'opening the lists', directory)
  }
}

export function listContentsOf(environment: Environment): ListContents {
  const directories = createDirectoryCache(environment)
  const drop = (layerId: LayerId) => {
    directories.forget(layerId)
    guardWrite(environment, 'dropping the list version', () => {
      const header = readHeader(environment, layerId)
      if (header !== undefined) removeLayer(environment, layerId, header)
    })
  }
  return {
    putLayer(layerId, contents, options = {}) {
      drop(layerId)
      guardWrite(environment, 'writing the list', () => writeLayer(environment, layerId, contents, options))
    },
    dropLayer: drop,
    layer(layerId) {
      const header = readHeader(environment, layerId)
      if (!header?.isComplete) return undefined
      const { isComplete: _, ...stored } = header
      return stored
    },
    layerRows: (layerId) => readRows(environment, layerId),
    writeLayerRows: (layerId, shape) => createRowWriter(environment, layerId, shape, () => drop(layerId)),
    layerIds() {
      environment.refresh()
      const layerIds: LayerId[] = []
      environment.scan({ prefix: makeKey(LISTS_SPACE.layer), limit: LAYERS_MAX }, (key) => {
        layerIds.push(key.readUInt32BE(KEY_PREFIX_BYTES))
      })
      return layerIds
    },
    readNumbers: (layerId, after, into, detailsInto) =>
      readNumbers(environment, directories, { layerId, after, into, detailsInto }),
    readExpiries: (layerId, after, into, expiresInto) =>
      readNumbers(environment, directories, { layerId, after, into, expiresInto }),
    readRanges: (layerId) => readRanges(environment, layerId),
    dictionary: (layerId) => readDictionary(environment, layerId),
    entry: (layerId, number) => readEntry(environment, directories, layerId, number),
    close: () => environment.close(),
  }
}

function guardWrite(environment: Environment, doing: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    throw storageError(error, doing, environment.path)
  }
}

function readHeader(environment: Environment, layerId: LayerId): LayerHeader | undefined {
  environment.refresh()
  return environment.json<LayerHeader>(headerKey(layerId))
}

function readBlock(environment: Environment, layerId: LayerId, block: number): DataView | undefined {
  const bytes = environment.bytes(makeKey(LISTS_SPACE.layerNumbers, { u32: layerId }, { u32: block }))
  return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

type WantedNumbers = NumbersInto & { readonly layerId: LayerId; readonly after: number }

function readNumbers(environment: Environment, directories: DirectoryCache, wanted: WantedNumbers): number {
  const { layerId, after, into } = wanted
  environment.refresh()
  let directory = directories.get(layerId)
  if (directory === undefined) throw layerMissing(layerId)
  let count = 0
  let block = Math.max(0, findBlock(directory, after))
  while (block < directory.firsts.length && count < into.length) {
    const view = readBlock(environment, layerId, block)
    if (view === undefined || blockStamp(view) !== directory.stamp) {
      // Another directory of the same stamp would not help: the block itself is not what it says.
      const before = directory
      directories.forget(layerId)
      directory = directories.get(layerId)
      if (directory === undefined || directory.stamp === before.stamp) throw layerMissing(layerId)
      count = 0
      block = Math.max(0, findBlock(directory, after))
      continue
    }
    count = copyBlock(view, after, count, wanted)
    block++
  }
  return count
}

/** The block that may hold the number, through a directory that is its own. */
function blockOf(
  environment: Environment,
  directories: DirectoryCache,
  layerId: LayerId,
  number: number,
): DataView | undefined {
  for (let attempt = 0; attempt < 2; attempt++) {
    const directory = directories.get(layerId)
    if (directory === undefined) return undefined
    const index = findBlock(directory, number)
    if (index < 0) return undefined
    const block = readBlock(environment, layerId, index)
    if (block !== undefined && blockStamp(block) === directory.stamp) return block
    directories.forget(layerId)
  }
  return undefined
}

function readRanges(environment: Environment, layerId: LayerId): LayerContents {
  const header = readHeader(environment, layerId)
  if (header === undefined || !header.isComplete) throw layerMissing(layerId)
  const rangesFrom = new Float64Array(header.rangeCount)
  const rangesTo = new Float64Array(header.rangeCount)
  const rangeDetails = new Uint32Array(header.rangeCount)
  let at = 0
  for (let chunk = 0; at < header.rangeCount; chunk++) {
    const bytes = environment.bytes(makeKey(LISTS_SPACE.layerRanges, { u32: layerId }, { u32: chunk }))
    if (bytes === undefined) throw layerMissing(layerId)
    at += decodeRanges(bytes, at, rangesFrom, rangesTo, rangeDetails)
  }
  const dictionary = readDictionary(environment, layerId)
  return { numbers: new Float64Array(0), rangesFrom, rangesTo, rangeDetails, dictionary }
}

function readDictionary(environment: Environment, layerId: LayerId): readonly EntryDetails[] {
  environment.refresh()
  const dictionary: EntryDetails[] = []
  const prefix = makeKey(LISTS_SPACE.layerDictionary, { u32: layerId })
  environment.scan({ prefix, limit: DICTIONARY_CHUNKS_MAX }, (_key, value) => {
    for (const details of decodeJson<EntryDetails[]>(value)) dictionary.push(details)
  })
  return dictionary
}

function readEntry(
  environment: Environment,
  directories: DirectoryCache,
  layerId: LayerId,
  number: number,
): { removed: boolean; details: EntryDetails } | undefined {
  environment.refresh()
  const block = blockOf(environment, directories, layerId, number)
  if (block === undefined) return undefined
  const index = findInBlock(block, number)
  if (index < 0) return undefined
  const details = detailsInBlock(block, index)
  if (details === REMOVED) return { removed: true, details: {} }
  if (details === NO_DETAILS) return { removed: false, details: {} }
  const chunk = Math.floor((details - 1) / CHUNK_DICTIONARY)
  const key = makeKey(LISTS_SPACE.layerDictionary, { u32: layerId }, { u32: chunk })
  const entries = environment.json<EntryDetails[]>(key)
  return { removed: false, details: entries?.[(details - 1) % CHUNK_DICTIONARY] ?? {} }
}
