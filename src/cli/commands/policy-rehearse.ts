import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { LIST_KINDS } from '../../domain/number-list.ts'
import { CANDIDATE_TYPE } from '../../jobs/read-events.ts'
import { CliFailure, usageFailure } from '../cli-failure.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { EXIT } from '../exit-codes.ts'
import { readPolicyFile } from '../policy-file.ts'
import { printRehearsal } from '../print-rehearsal.ts'
import { openSource, type UploadSource } from '../upload.ts'
import { parseSince } from './decisions.ts'

type RehearseOptions = {
  readonly withList: readonly string[]
  readonly events?: string
  readonly since: string
  readonly until?: string
}

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
    .option(
      '--events <file>',
      'replay these call events, one JSON object a line ("-": standard input), not the decision log',
    )
    .option('--since <time>', 'from this time on: 2026-03-01T12:00:00Z, or 12h, 7d ago', '24h')
    .option('--until <time>', 'up to this time')
    .addHelpText(
      'after',
      examples([
        ['zaslon policy rehearse policy.yaml --since 24h', "what it would change in the last day's calls"],
        ['zaslon policy rehearse --with-list deny=new.csv', 'whom a list would hit under the policy in force'],
        ['zaslon policy rehearse policy.yaml --with-list allow=partners.csv --json', 'both at once, for programs'],
        ['zaslon policy rehearse policy.yaml --events calls.ndjson', 'calls and call ends as the switch sent them'],
      ]),
    )
    .action(async (file: string | undefined, options: RehearseOptions) => {
      const context = registry.context(command)
      const { output, client, surroundings } = context
      if (file === undefined && options.withList.length === 0) {
        throw usageFailure('Name a policy file, a list (--with-list deny=FILE), or both.')
      }
      const isPeriodGiven = options.until !== undefined || command.getOptionValueSource('since') === 'cli'
      if (options.events !== undefined && isPeriodGiven) {
        throw usageFailure('--since and --until choose from the decision log; events say themselves when they were.')
      }
      const lists = await Promise.all(options.withList.map(readList))
      const candidate = {
        ...(file === undefined ? {} : { text: (await readPolicyFile(file)).text }),
        ...(lists.length === 0 ? {} : { lists }),
      }
      const from = parseSince(options.since, surroundings.now())
      const to = parseSince(options.until, surroundings.now())
      const request =
        options.events === undefined
          ? { json: { ...candidate, ...(from ? { from } : {}), ...(to ? { to } : {}) } }
          : {
              body: withEvents(candidate, await openSource(context, options.events)),
              contentType: 'application/x-ndjson',
            }
      const body = await client.call('control', '/v1/policy/rehearse', { method: 'POST', timeoutMs: 0, ...request })
      if (output.isJson) return output.json(body)
      printRehearsal(output, body)
    })
}

/** The candidate in the first line, the events below it as they are read. */
function withEvents(candidate: object, { chunks }: UploadSource): ReadableStream<Uint8Array> {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`${JSON.stringify({ type: CANDIDATE_TYPE, ...candidate })}\n`)
    yield* chunks
  }
  return ReadableStream.from(body()) as ReadableStream<Uint8Array>
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
