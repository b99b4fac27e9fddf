import type { Command } from 'commander'
import { usageFailure } from '../cli-failure.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { createImportProgress } from '../import-progress.ts'
import { finish, upload } from './lists-import.ts'

type AddOptions = {
  readonly reason?: string
  readonly expires?: string
  readonly source?: string
  readonly country?: string
}

/**
 * `add` and `rm` are imports of a few rows (append, remove): they show the same counts, can be held by the same rules
 * and can be restored. More than this many belong into a file.
 */
const ENTRIES_MAX = 1_000

export function addEntryCommands(lists: Command, registry: CommandRegistry): void {
  addAdd(lists, registry)
  addRemove(lists, registry)
}

function addAdd(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('add')
    .description('put numbers, prefixes (prefix*) or ranges (from-to) on a list')
    .argument('<list>')
    .argument('<entries...>')
    .option('--reason <text>', 'why')
    .option('--expires <time>', 'until when, e.g. 2026-12-31')
    .option('--source <text>', 'on whose word')
    .option('--country <code>', 'country of numbers without +')
    .addHelpText(
      'after',
      examples([
        ['zaslon lists add scammers +79160000002 --reason "called back: fraud"', 'one number'],
        ["zaslon lists add scammers '+7900123*' --expires 2026-12-31", 'a prefix, for a while'],
      ]),
    )
    .action(async (list: string, entries: string[], options: AddOptions) => {
      const details = [options.reason, options.expires, options.source]
      const rows = entries.map((entry) => [entry, ...details].map(csvField).join(','))
      await importRows(command, registry, list, { mode: 'append', country: options.country }, rows)
    })
}

function addRemove(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('rm')
    .description('take entries off a list, as they stand there')
    .argument('<list>')
    .argument('<entries...>')
    .option('--country <code>', 'country of numbers without +')
    .addHelpText('after', examples([['zaslon lists rm scammers +79160000002', 'let it call again']]))
    .action(async (list: string, entries: string[], options: { country?: string }) => {
      const rows = entries.map((entry) => `${csvField(entry)},,,`)
      await importRows(command, registry, list, { mode: 'remove', country: options.country }, rows)
    })
}

async function importRows(
  command: Command,
  registry: CommandRegistry,
  list: string,
  query: Readonly<Record<string, string | undefined>>,
  rows: readonly string[],
): Promise<void> {
  if (rows.length > ENTRIES_MAX)
    throw usageFailure(`At most ${ENTRIES_MAX} entries at once.`, 'Use "zaslon lists import" with a file.')
  const context = registry.context(command)
  const progress = createImportProgress(context.surroundings.stderr, true)
  const text = `number,reason,expires,source\n${rows.join('\n')}\n`
  const path = `/v1/lists/${encodeURIComponent(list)}/imports`
  const importId = await upload(context, path, query, toSource(text), progress)
  registry.exitWith(await finish(context, importId, progress, true))
}

async function* toSource(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text)
}

/** RFC 4180: quoted when it must be. */
function csvField(text: string | undefined): string {
  const field = (text ?? '').replace(/[\r\n]+/g, ' ')
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}
