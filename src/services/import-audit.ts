import type { Actor, RecordStore } from '../stores/ports.ts'
import type { StoredImport } from './import-records.ts'
import { patiently } from './patience.ts'

export type ImportDeed = 'begin' | 'hold' | 'cancel' | 'activate'

export type ImportAuditDependencies = {
  readonly store: Pick<RecordStore, 'appendAudit'>
  readonly now: () => number
  readonly onFault: (error: unknown) => void
}

/**
 * What becomes of an import, beside the versions of the list, which have entries of their own. Never rejects and decides
 * nothing: a line that is refused now is offered for another minute, and may then be there twice.
 */
export type ImportAudit = (deed: ImportDeed, stored: StoredImport, actor: Actor) => Promise<void>

export function createImportAudit({ store, now, onFault }: ImportAuditDependencies): ImportAudit {
  return async (deed, { record }, actor) => {
    const { importId, list, mode, dryRun, state, problem } = record
    const why = deed === 'hold' && problem !== undefined ? { code: problem.code } : {}
    const entry = { action: `import.${deed}`, subject: importId, detail: { list, mode, dryRun, state, ...why } }
    const append = async () => store.appendAudit(entry, actor)
    await append().catch(() => void patiently(append, now).catch(onFault))
  }
}
