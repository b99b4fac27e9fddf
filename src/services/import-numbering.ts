import { diallingRules } from '../domain/parse-phone-number.ts'
import { isLayerTaken } from '../stores/list-rules.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'
import type { NumberingDesk, NumberingImported } from './control-services.ts'
import type { ListJobRunner } from './list-job-runner.ts'

/** A regulator's range file has some MB; the largest national one about 100. */
const NUMBERING_BYTES_MAX = 512 * 1024 * 1024

export type NumberingImportDependencies = {
  readonly store: Pick<RecordStore, 'putNumberingPlan'>
  readonly jobs: ListJobRunner
  readonly notify: (sequence: number) => Promise<void>
  readonly now: () => number
  readonly onFault: (error: unknown) => void
}

/**
 * Imports a regulator's range file as a numbering plan, in force everywhere when it resolves. It covers the codes that
 * the file names, unless `covers` says otherwise. Takes over the spooled file, whatever happens. Rejects with
 * NUMBERING_INVALID, IMPORT_EMPTY, IMPORT_FORMAT, IMPORT_TOO_LARGE.
 */
export function createNumberingImport(dependencies: NumberingImportDependencies): NumberingDesk['import'] {
  const { store, jobs, notify, now, onFault } = dependencies

  async function importPlan(
    request: Parameters<NumberingDesk['import']>[0],
    actor: Actor,
  ): Promise<NumberingImported & { readonly sequence: number }> {
    const callingCode = String(diallingRules(request.country).callingCode)
    return jobs.withLayer(async (layerId) => {
      const read = await jobs.run({
        kind: 'import-numbering',
        path: request.spoolPath,
        rejectedPath: `${request.spoolPath}.rejected`,
        callingCode,
        ...(request.covers === undefined ? {} : { covers: request.covers }),
        layerId,
        bytesMax: NUMBERING_BYTES_MAX,
      })
      const plan = {
        name: request.name,
        covers: read.covers,
        layerId,
        rangeCount: read.layer.rangeCount,
        ...(read.layer.stamp === undefined ? {} : { stamp: read.layer.stamp }),
        asOfMs: request.asOfMs,
        importedMs: now(),
      }
      const stored = await store.putNumberingPlan(plan, actor)
      return { ...stored, rows: read.rows, accepted: read.accepted, rejectedCount: read.rejectedCount }
    })
  }

  return async (request, actor) => {
    try {
      const { sequence, ...imported } = await importPlan(request, actor).catch((error: unknown) => {
        if (isLayerTaken(error)) return importPlan(request, actor)
        throw error
      })
      await notify(sequence)
      return imported
    } finally {
      const spool = request.spoolPath.slice(request.spoolPath.lastIndexOf('/') + 1)
      jobs.clean({ removeFiles: [spool, `${spool}.rejected`] }).catch(onFault)
    }
  }
}

/** The day a file describes, from a name such as `ranges_2026-08.csv` or `ranges-2026-08-15.csv`; undefined: it says nothing. */
export function asOfFromFileName(name: string): number | undefined {
  const [, year = '', month = '', day = '01'] = /(\d{4})-(\d\d)(?:-(\d\d))?(?!\d)/.exec(name) ?? []
  const asOfMs = Date.parse(`${year}-${month}-${day}T00:00:00Z`)
  return Number.isNaN(asOfMs) ? undefined : asOfMs
}
