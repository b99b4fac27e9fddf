import { copyFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parse as parseYaml } from 'yaml'
import type { ListKind } from '../domain/number-list.ts'
import type { ControlServices } from '../services/control-services.ts'
import type { RecordStore } from '../stores/ports.ts'

type SampleList = { name: string; kind: ListKind; title: string; file: string }

/** Loads the lists that data/samples.yaml names into a record that has none: `npm start` on a fresh clone. */
export async function loadSamples(
  options: { readonly directory: string; readonly spool: string; readonly country: string },
  { store, services }: { readonly store: RecordStore; readonly services: ControlServices },
): Promise<void> {
  if (store.lists().length > 0) return
  const { lists } = parseYaml(readFileSync(path.join(options.directory, 'samples.yaml'), 'utf8')) as {
    lists: SampleList[]
  }
  for (const { name, kind, title, file } of lists) {
    await store.putList({ name, kind, title }, 'system')
    const spoolPath = path.join(options.spool, `sample-${name}.upload`)
    copyFileSync(path.join(options.directory, file), spoolPath)
    const request = { list: name, mode: 'replace', dryRun: false, country: options.country, spoolPath } as const
    const { importId } = await services.imports.begin(request, 'system')
    await untilOver(services, importId)
  }
}

/** A sample that does not load is shown by its import, like any other. */
async function untilOver(services: ControlServices, importId: string): Promise<void> {
  while (['queued', 'parsing', 'activating'].includes(services.imports.get(importId).state)) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
