import type { Command } from 'commander'
import { usageFailure } from '../cli-failure.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { fieldsOf } from '../fields.ts'
import { printable, thousands } from '../output.ts'

type AddOptions = { readonly reason?: string; readonly expires?: string; readonly source?: string }

/** What one request of the service takes; more belong into a file, whose import can be looked at first. */
const ENTRIES_MAX = 1_000

/** `add` and `rm`: a few entries, in force when the command returns. */
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
    .addHelpText(
      'after',
      examples([
        ['zaslon lists add scammers +79160000002 --reason "called back: fraud"', 'one number'],
        ["zaslon lists add scammers '+7900123*' --expires 2026-12-31", 'a prefix, for a while'],
      ]),
    )
    .action(async (list: string, numbers: string[], options: AddOptions) => {
      const { reason, expires, source } = options
      const details = { ...(reason ? { reason } : {}), ...(expires ? { expires } : {}), ...(source ? { source } : {}) }
      const entries = numbers.map((number) => ({ number, ...details }))
      await change(command, registry, list, 'POST', entries)
    })
}

function addRemove(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('rm')
    .description('take entries off a list, written as they stand there')
    .argument('<list>')
    .argument('<entries...>')
    .addHelpText('after', examples([['zaslon lists rm scammers +79160000002', 'let it call again']]))
    .action(async (list: string, numbers: string[]) => {
      const entries = numbers.map((number) => ({ number }))
      await change(command, registry, list, 'DELETE', entries)
    })
}

async function change(
  command: Command,
  registry: CommandRegistry,
  list: string,
  method: 'POST' | 'DELETE',
  entries: readonly { readonly number: string }[],
): Promise<void> {
  if (entries.length > ENTRIES_MAX) {
    throw usageFailure(`At most ${ENTRIES_MAX} entries at once.`, 'Use "zaslon lists import" with a file.')
  }
  const { output, client } = registry.context(command)
  const path = `/v1/lists/${encodeURIComponent(list)}/entries`
  const body = await client.call('control', path, { method, json: { entries } })
  if (output.isJson) return output.json(body)
  const counts = fieldsOf(body)
  const said = (['added', 'removed', 'unchanged'] as const).map(
    (name) => `${thousands(counts.number(name) ?? 0)} ${name}`,
  )
  output.line(`${printable(list)}: ${said.join(', ')}.`)
}
