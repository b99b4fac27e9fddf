import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parse as parseYaml } from 'yaml'
import type { ListKind } from '../domain/number-list.ts'
import type { ControlServices } from '../services/control-services.ts'
import { patiently } from '../services/patience.ts'
import type { RecordStore } from '../stores/ports.ts'

type SampleList = { name: string; kind: ListKind; title: string; file: string }

/**
 * Loads the lists that data/samples.yaml names into a record that has none: `npm start` on a fresh clone. A first start that
 * was cut off is taken up again where it was: a mark lies in the data directory until all are loaded.
 */
export async function loadSamples(
  options: { readonly directory: string; readonly root: string; readonly spool: string; readonly country: string },
  { store, services }: { readonly store: RecordStore; readonly services: Pick<ControlServices, 'imports'> },
): Promise<void> {
  const mark = path.join(options.root, 'samples.loading')
  if (store.lists().length > 0 && !existsSync(mark)) return
  writeFileSync(mark, '')
  const { lists } = parseYaml(readFileSync(path.join(options.directory, 'samples.yaml'), 'utf8')) as {
    lists: SampleList[]
  }
  for (const { name, kind, title, file } of lists) {
    if ((store.list(name)?.activeVersion ?? 0) > 0) continue
    await patiently(() => store.putList({ name, kind, title }, 'system'), Date.now)
    const spoolPath = path.join(options.spool, `sample-${name}.upload`)
    copyFileSync(path.join(options.directory, file), spoolPath)
    const request = { list: name, mode: 'replace', dryRun: false, country: options.country, spoolPath } as const
    const { importId } = await services.imports.begin(request, 'system')
    await untilOver(services, importId)
  }
  rmSync(mark, { force: true })
}

/** A sample that does not load, or waits for Redis, is shown by its import, like any other: the service starts without it. */
async function untilOver(services: Pick<ControlServices, 'imports'>, importId: string): Promise<void> {
  for (;;) {
    const { state, problem } = services.imports.get(importId)
    if (!['queued', 'parsing', 'activating'].includes(state) || problem !== undefined) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
