import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { ScreeningError } from '../domain/errors.ts'

/** Where things lie in a node's data directory. Nobody else builds these names. */
export type DataDirectory = {
  readonly root: string
  readonly gates: string
  readonly decisions: string
  readonly traffic: string
  /** What verdict processes remember over a restart. */
  readonly snapshots: string
  readonly imports: string
  /** Notes of the verdict processes that serve. */
  readonly serving: string
}

/** Where they would lie; nothing is made. */
export function dataDirectoryAt(root: string): DataDirectory {
  const at = (name: string) => path.join(root, name)
  return {
    root,
    gates: at('gates'),
    decisions: at('decisions'),
    traffic: at('traffic'),
    snapshots: at('snapshots'),
    imports: at('imports'),
    serving: at('serving'),
  }
}

/** Makes the directory and its parts when they are missing; readable by the owner alone, for it holds numbers. */
export function openDataDirectory(root: string): DataDirectory {
  const directory = dataDirectoryAt(root)
  try {
    for (const place of Object.values(directory)) mkdirSync(place, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const hint = 'Name a directory this user may write in ZASLON_DATA_DIR.'
    throw new ScreeningError('STORAGE_FAILED', `The data directory ${root} cannot be made.`, { hint }, { cause })
  }
  return directory
}

export function gateFileName(directory: Pick<DataDirectory, 'gates'>, layerId: number): string {
  return path.join(directory.gates, `layer-${layerId}.gate`)
}

/** Bytes of a layer's gate, in shared memory of their own (shm/gate.ts takes it over), or undefined when there is no file. */
export async function readGateFile(
  directory: Pick<DataDirectory, 'gates'>,
  layerId: number,
): Promise<Uint8Array | undefined> {
  const name = gateFileName(directory, layerId)
  if (!existsSync(name)) return undefined
  const file = await open(name)
  try {
    const { size } = await file.stat()
    const bytes = new Uint8Array(new SharedArrayBuffer(size))
    for (let at = 0, read = -1; at < size && read !== 0; at += read) {
      read = (await file.read(bytes, at, size - at, at)).bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

/**
 * Readers see the whole file or none: written beside, synced, renamed, and the directory synced. Two processes may write
 * the same gate at once: each has its own draft.
 */
export function writeGateFile(directory: Pick<DataDirectory, 'gates'>, layerId: number, bytes: Uint8Array): void {
  const name = gateFileName(directory, layerId)
  const draft = `${name}.${process.pid}.draft`
  writeSynced(draft, bytes)
  renameSync(draft, name)
  syncDirectory(directory.gates)
}

const KEY_BYTES = 32

/**
 * The key pseudonyms are made with. A configured file must exist and hold at least 32 hexadecimal bytes; without one, a
 * key is made in the data directory at first start. Two processes that start at once agree: the first link wins.
 */
export function readPseudonymKey(
  directory: Pick<DataDirectory, 'root'>,
  configuredFile: string,
  { mayMake = true }: { readonly mayMake?: boolean } = {},
): Uint8Array {
  const file = configuredFile === '' ? keyFile(directory) : configuredFile
  if (configuredFile === '' && mayMake && !existsSync(file)) writeKey(file, randomBytes(KEY_BYTES))
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const hint = 'Name the key file of this node, or of the record it shares, in ZASLON_PSEUDONYM_KEY_FILE.'
    const message = `The pseudonym key file ${file} cannot be read (${code}).`
    throw new ScreeningError('CONFIG_INVALID', message, { hint }, { cause })
  }
  if (!/^(?:[0-9a-f]{2}){32,}$/i.test(text)) {
    const hint = 'Make one with: openssl rand -hex 32'
    throw new ScreeningError('CONFIG_INVALID', `The pseudonym key file ${file} must hold 32 bytes in hexadecimal.`, {
      hint,
    })
  }
  return Buffer.from(text, 'hex')
}

/** Makes a key the directory's own: without a configured file it is read from then on. */
export function keepPseudonymKey(directory: Pick<DataDirectory, 'root'>, key: Uint8Array): void {
  const file = keyFile(directory)
  if (existsSync(file) && readFileSync(file, 'utf8').trim().toLowerCase() === Buffer.from(key).toString('hex')) return
  rmSync(file, { force: true })
  writeKey(file, key)
}

const keyFile = (directory: Pick<DataDirectory, 'root'>) => path.join(directory.root, 'pseudonym.key')

/** On disk before anybody uses it: pseudonyms that were made with a lost key match nothing any more. */
function writeKey(file: string, key: Uint8Array): void {
  const draft = `${file}.${process.pid}`
  writeSynced(draft, Buffer.from(`${Buffer.from(key).toString('hex')}\n`))
  chmodSync(draft, 0o600)
  try {
    linkSync(draft, file)
    syncDirectory(path.dirname(file))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function writeSynced(name: string, bytes: Uint8Array): void {
  const file = openSync(name, 'w', 0o600)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function syncDirectory(name: string): void {
  const directory = openSync(name, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
