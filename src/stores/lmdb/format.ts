import { ScreeningError } from '../../domain/errors.ts'
import type { Database, Environment } from './environment.ts'
import { LIVE_SPACE, makeKey } from './keys.ts'
import { decodeJson, encodeJson } from './values.ts'

/** Brings an environment from version `from` to `from + 1`, inside one transaction. */
type Migration = { readonly from: number; readonly run: (db: Database) => void }

export type FormatSpec = {
  /** The file, for messages. */
  readonly name: string
  readonly version: number
  /** One for every version before the current one that was ever released, oldest first. */
  readonly migrations: readonly Migration[]
}

/** The same key in both environments, in every version for ever. */
const FORMAT_KEY = makeKey(LIVE_SPACE.meta, { text: 'format' })

/**
 * Writes the format version into a new environment, migrates an older one forward (each step one durable transaction,
 * so that a crash leaves a version that is known), refuses a newer one and one that is not ours with STORAGE_FORMAT.
 * A read-only opener never migrates: it refuses an older one too.
 */
export function settleFormat(environment: Environment, spec: FormatSpec): void {
  const stored = environment.bytes(FORMAT_KEY)
  if (stored === undefined) {
    if (environment.readOnly) throw refusal(spec, 'none', 'Start the control process: it creates the data.')
    for (const _key of environment.db.getKeys({ limit: 1 })) {
      throw refusal(spec, 'none', 'This is not a Zaslon data directory; choose another one.')
    }
    environment.db.transactionSync(() => void environment.db.put(FORMAT_KEY, encodeJson({ version: spec.version })))
    return
  }
  let { version } = decodeJson<{ version: number }>(stored)
  if (version > spec.version) {
    throw refusal(
      spec,
      `v${version}`,
      'Start the newer Zaslon that wrote it, or point this one at a data directory of its own.',
    )
  }
  if (version < spec.version && environment.readOnly) {
    throw refusal(spec, `v${version}`, 'Start the control process of this version: it migrates the data forward.')
  }
  while (version < spec.version) {
    migrate(environment, spec, version)
    version++
  }
}

function migrate(environment: Environment, spec: FormatSpec, from: number): void {
  const migration = spec.migrations.find((candidate) => candidate.from === from)
  if (migration === undefined) {
    throw refusal(spec, `v${from}`, `No migration from v${from} exists; start the last Zaslon that knew it first.`)
  }
  environment.db.transactionSync(() => {
    migration.run(environment.db)
    environment.db.put(FORMAT_KEY, encodeJson({ version: from + 1 }))
  })
}

function refusal(spec: FormatSpec, found: string, hint: string): ScreeningError {
  return new ScreeningError(
    'STORAGE_FORMAT',
    `${spec.name} has format ${found}, this Zaslon reads and writes v${spec.version}.`,
    { hint, found, expected: spec.version },
  )
}
