import { readFileSync } from 'node:fs'
import { ScreeningError } from '../../domain/errors.ts'

/** The group `redis` of the configuration, as far as a connection needs it. Empty texts stand for "not given". */
export type RedisSettings = {
  readonly url: string
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly serverName?: string
  /** So many replicas must have an appended fact before it counts as written. */
  readonly ackReplicas?: number
}

export type TlsFiles = { ca?: Buffer; cert?: Buffer; key?: Buffer; servername?: string }

/** Contents of the files named in the settings. Throws CONFIG_INVALID when one cannot be read. */
export function readTlsFiles(settings: RedisSettings): TlsFiles {
  return {
    ...(settings.caFile ? { ca: readSettingFile('caFile', settings.caFile) } : {}),
    ...(settings.certFile ? { cert: readSettingFile('certFile', settings.certFile) } : {}),
    ...(settings.keyFile ? { key: readSettingFile('keyFile', settings.keyFile) } : {}),
    ...(settings.serverName ? { servername: settings.serverName } : {}),
  }
}

function readSettingFile(name: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const message = `The file ${file}, named by redis.${name}, cannot be read.`
    const hint = `Name a PEM file this user may read in redis.${name}.`
    throw new ScreeningError('CONFIG_INVALID', message, { hint }, { cause })
  }
}
