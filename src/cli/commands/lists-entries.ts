import type { Command } from 'commander'
import { CliFailure, orRefused, usageFailure } from '../cli-failure.ts'
import type { CommandContext } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { EXIT } from '../exit-codes.ts'
import { type Fields, fieldsOf } from '../fields.ts'
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
      assertFew(entries)
      await change(registry.context(command), list, 'POST', entries)
    })
}

function addRemove(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('rm')
    .description('take entries off a list, written as they stand there')
    .argument('<list>')
    .argument('<entries...>')
    .addHelpText(
      'after',
      examples([['zaslon lists rm scammers +79160000002', 'let it call again; exit code 13: it was not there']]),
    )
    .action(async (list: string, words: string[]) => {
      const numbers = [...new Set(words)]
      assertFew(numbers)
      const context = registry.context(command)
      const present = await presentNumbers(context, list, numbers)
      const entries = numbers.map((number) => ({ number }))
      const counts = await change(context, list, 'DELETE', entries)
      const removed = counts.number('removed') ?? 0
      if (removed < numbers.length) throw notOnList(list, numbers, removed, present)
    })
}

/** One more question for each: beyond this the refusal counts and does not name. */
const ASKED_MAX = 50
/** Entries named in one sentence. */
const NAMED_MAX = 10

/**
 * Of several numbers those that stand on the list themselves, asked before they are taken off: the service answers with
 * counts only, and afterwards nobody knows which of them were there. Empty where the service does not tell.
 */
async function presentNumbers(
  { client }: CommandContext,
  list: string,
  numbers: readonly string[],
): Promise<readonly string[]> {
  if (numbers.length === 1 || numbers.length > ASKED_MAX) return []
  const present: string[] = []
  for (const caller of numbers.filter(isNumber)) {
    const answer = await orRefused(client.call('control', '/v1/explain', { method: 'POST', json: { caller } }))
    const isThere = (found: Fields) => found.text('list') === list && found.text('match') === 'number'
    if (fieldsOf(answer).items('lists').some(isThere)) present.push(caller)
  }
  return present
}

/** Neither prefix* nor from-to. */
function isNumber(entry: string): boolean {
  return /^[+\d][\d ()]*$/.test(entry)
}

/** `rm` of something that is not there: whoever unblocks a victim must not believe it is done. */
function notOnList(list: string, numbers: readonly string[], removed: number, present: readonly string[]): CliFailure {
  const missing = numbers.length - removed
  const candidates = removed === 0 ? numbers : numbers.filter((number) => !present.includes(number))
  const more = candidates.length > NAMED_MAX ? ` and ${candidates.length - NAMED_MAX} more` : ''
  const names = `${candidates.slice(0, NAMED_MAX).join(', ')}${more}`
  const what = candidates.length === missing ? names : `${missing} of ${names}`
  const much = removed === 0 ? 'Nothing' : 'Not everything'
  const message = `${much} was removed: ${what} ${missing === 1 ? 'is' : 'are'} not on the list ${list} as such.`
  const hint = `A prefix or range may still cover a number: "zaslon explain ${candidates.find(isNumber) ?? 'NUMBER'}" tells.`
  return new CliFailure(EXIT.absent, message, { code: 'ENTRIES_ABSENT', hint })
}

function assertFew(entries: readonly unknown[]): void {
  if (entries.length <= ENTRIES_MAX) return
  throw usageFailure(`At most ${ENTRIES_MAX} entries at once.`, 'Use "zaslon lists import" with a file.')
}

async function change(
  { client, output }: CommandContext,
  list: string,
  method: 'POST' | 'DELETE',
  entries: readonly { readonly number: string }[],
): Promise<Fields> {
  const path = `/v1/lists/${encodeURIComponent(list)}/entries`
  const body = await client.call('control', path, { method, json: { entries } })
  const counts = fieldsOf(body)
  if (output.isJson) {
    output.json(body)
    return counts
  }
  const said = (['added', 'removed', 'unchanged'] as const).map(
    (name) => `${thousands(counts.number(name) ?? 0)} ${name}`,
  )
  output.line(`${printable(list)}: ${said.join(', ')}.`)
  return counts
}
