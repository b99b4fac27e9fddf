import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { LIST_KINDS } from '../../domain/number-list.ts'
import { CliFailure, usageFailure } from '../cli-failure.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { EXIT } from '../exit-codes.ts'
import { readPolicyFile } from '../policy-file.ts'
import { printRehearsal } from '../print-rehearsal.ts'
import { parseSince } from './decisions.ts'

type RehearseOptions = { readonly withList: readonly string[]; readonly since: string; readonly until?: string }

type ListBody = { readonly kind: string; readonly entries: readonly string[] }

/** A rehearsed list is short; a file of another size is another file. */
const LIST_CHARS_MAX = 2_000_000

/** `zaslon policy rehearse`: what a policy or a list would change, before it is in force. */
export function addRehearse(policy: Command, registry: CommandRegistry): void {
  const command = policy
    .command('rehearse')
    .description('replay recorded calls under a policy or lists that are not in force')
    .argument('[file]', 'YAML; the policy in force when left out')
    .option(
      '--with-list <kind=file>',
      `try this list too, a number, prefix* or from-to a line; kinds: ${LIST_KINDS.join(', ')}; may be repeated`,
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .option('--since <time>', 'from this time on: 2026-03-01T12:00:00Z, or 12h, 7d ago', '24h')
    .option('--until <time>', 'up to this time')
    .addHelpText(
      'after',
      examples([
        ['zaslon policy rehearse policy.yaml --since 24h', "what it would change in the last day's calls"],
        ['zaslon policy rehearse --with-list deny=new.csv', 'whom a list would hit under the policy in force'],
        ['zaslon policy rehearse policy.yaml --with-list allow=partners.csv --json', 'both at once, for programs'],
      ]),
    )
    .action(async (file: string | undefined, options: RehearseOptions) => {
      const { output, client, surroundings } = registry.context(command)
      if (file === undefined && options.withList.length === 0) {
        throw usageFailure('Name a policy file, a list (--with-list deny=FILE), or both.')
      }
      const lists = await Promise.all(options.withList.map(readList))
      const candidate = {
        ...(file === undefined ? {} : { text: (await readPolicyFile(file)).text }),
        ...(lists.length === 0 ? {} : { lists }),
      }
      const from = parseSince(options.since, surroundings.now())
      const to = parseSince(options.until, surroundings.now())
      const json = { ...candidate, ...(from ? { from } : {}), ...(to ? { to } : {}) }
      const body = await client.call('control', '/v1/policy/rehearse', { method: 'POST', json, timeoutMs: 0 })
      if (output.isJson) return output.json(body)
      printRehearsal(output, body)
    })
}

/** `deny=numbers.csv`. The first column counts; a first line without any digit is a header. */
async function readList(option: string): Promise<ListBody> {
  const [, kind = '', file = ''] = /^([^=]*)=(.+)$/.exec(option) ?? []
  if (!(LIST_KINDS as readonly string[]).includes(kind)) {
    throw usageFailure(`--with-list wants kind=FILE with a kind of ${LIST_KINDS.join(', ')}, got "${option}".`)
  }
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new CliFailure(EXIT.failed, `The file ${file} cannot be read.`, { code: 'FILE_UNREADABLE' }, { cause })
  }
  const hint = 'Preview it instead: zaslon lists import NAME FILE --dry-run.'
  if (text.length > LIST_CHARS_MAX) {
    throw new CliFailure(EXIT.failed, `The list ${file} is too long to rehearse.`, { code: 'BODY_TOO_LARGE', hint })
  }
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  const entries = lines.map((line) => (line.split(/[,;\t]/, 1)[0] ?? '').replace(/^"|"$/g, '').trim())
  if (entries[0] !== undefined && !/\d/.test(entries[0])) entries.shift()
  const filled = entries.filter((entry) => entry !== '')
  if (filled.length > 0) return { kind, entries: filled }
  throw new CliFailure(EXIT.failed, `The list ${file} has no entries.`, { code: 'IMPORT_EMPTY' })
}
