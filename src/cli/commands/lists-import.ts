import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { IMPORT_MODES } from '../../domain/import.ts'
import { CliFailure } from '../cli-failure.ts'
import type { CommandContext } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { EXIT } from '../exit-codes.ts'
import { type Fields, fieldsOf } from '../fields.ts'
import { exitCodeOfImport, followImport, printImport } from '../follow-import.ts'
import { createImportProgress, type ImportProgress } from '../import-progress.ts'
import { printable } from '../output.ts'

type ImportOptions = {
  readonly mode: string
  readonly country?: string
  readonly dryRun?: boolean
  readonly wait: boolean
}

export function addListsImportCommand(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('import')
    .description('load a file into a list and put it in force')
    .argument('<list>')
    .argument('<file>', 'CSV, one number a line, prefix* or from-to; "-" is standard input')
    .addOption(new Option('--mode <mode>', 'what the file is to the list').choices(IMPORT_MODES).default('replace'))
    .option('--country <code>', 'country of numbers without + (default: the home country)')
    .option('--dry-run', 'only say what it would do')
    .option('--no-wait', 'print the import id and do not wait')
    .addHelpText(
      'after',
      examples([
        ['zaslon lists import scammers numbers.csv', 'replace what is on the list'],
        ['zaslon lists import scammers more.csv --mode append', 'add to it'],
        ['zaslon lists import scammers numbers.csv --dry-run', 'look first'],
        ['gunzip -c us.csv.gz | zaslon lists import us - --country US', 'from a pipe'],
      ]),
    )
    .action(async (list: string, file: string, options: ImportOptions) => {
      const context = registry.context(command)
      const progress = createImportProgress(context.surroundings.stderr, context.output.isJson)
      const source = file === '-' ? context.surroundings.stdin : await openFile(file)
      const query = { mode: options.mode, country: options.country, dryRun: options.dryRun }
      try {
        const importId = await upload(context, `/v1/lists/${encodeURIComponent(list)}/imports`, query, source, progress)
        registry.exitWith(await finish(context, importId, progress, options.wait))
      } finally {
        progress.stop()
      }
    })
}

type UploadSource = AsyncIterable<Uint8Array> & { readonly bytes?: number }

async function openFile(file: string): Promise<UploadSource> {
  try {
    const found = await stat(file)
    if (!found.isDirectory()) return Object.assign(createReadStream(file), { bytes: found.size })
  } catch (cause) {
    throw new CliFailure(EXIT.failed, `The file ${file} cannot be read.`, { code: 'FILE_UNREADABLE' }, { cause })
  }
  throw new CliFailure(EXIT.failed, `${file} is a directory, not a file.`, { code: 'FILE_UNREADABLE' })
}

/** Sends a file as it is read, whatever its size, and resolves with the import's id. */
export async function upload(
  { client }: Pick<CommandContext, 'client'>,
  path: string,
  query: Readonly<Record<string, string | boolean | undefined>>,
  source: UploadSource,
  progress: ImportProgress,
): Promise<string> {
  const body = ReadableStream.from(countBytes(source, progress)) as ReadableStream<Uint8Array>
  const contentType = 'text/csv'
  const answer = fieldsOf(
    await client.call('control', path, { method: 'POST', query, body, contentType, timeoutMs: 0 }),
  )
  const importId = answer.text('importId')
  if (importId !== undefined) return importId
  throw new CliFailure(EXIT.failed, 'The service did not name the import.', { code: 'ANSWER_UNEXPECTED' })
}

async function* countBytes(source: UploadSource, progress: ImportProgress): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    yield chunk
    if (source.bytes) progress.show('sending', Math.min(1, bytes / source.bytes))
  }
}

/** Waits for the end (or not), prints it, and resolves with the exit code. */
export async function finish(
  context: CommandContext,
  importId: string,
  progress: ImportProgress,
  isWaiting: boolean,
): Promise<number> {
  const { output } = context
  if (!isWaiting) {
    if (output.isJson) output.json({ importId })
    else output.line(importId)
    return EXIT.ok
  }
  const record = await followImport(context, importId, progress)
  progress.stop()
  return printEnd(context, record)
}

export function printEnd({ output }: CommandContext, record: Fields): number {
  if (output.isJson) output.json(record.value)
  else printImport(output, record)
  return exitCodeOfImport(record)
}

/** status, activate, cancel, rejected: what can be done with an import that exists. */
export function addImportCommands(lists: Command, registry: CommandRegistry): void {
  addStatus(lists, registry)
  addActivate(lists, registry)
  addRejected(lists, registry)
}

function addStatus(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('status')
    .description('how far an import is')
    .argument('<importId>')
    .option('--wait', 'follow it to its end')
    .addHelpText('after', examples([['zaslon lists status i-42 --wait', 'follow an import']]))
    .action(async (importId: string, options: { wait?: boolean }) => {
      const context = registry.context(command)
      const progress = createImportProgress(context.surroundings.stderr, context.output.isJson)
      try {
        if (options.wait) return registry.exitWith(await finish(context, importId, progress, true))
      } finally {
        progress.stop()
      }
      const record = fieldsOf(await context.client.call('control', importPath(importId)))
      registry.exitWith(printEnd(context, record))
    })
}

function addActivate(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('activate')
    .description('put a previewed or held import in force')
    .argument('<importId>')
    .addHelpText('after', examples([['zaslon lists activate i-42', 'after a --dry-run that looked right']]))
    .action(async (importId: string) => {
      const context = registry.context(command)
      await context.client.call('control', `${importPath(importId)}/activate`, { method: 'POST', timeoutMs: 0 })
      const progress = createImportProgress(context.surroundings.stderr, context.output.isJson)
      registry.exitWith(await finish(context, importId, progress, true))
    })
}

function addRejected(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('rejected')
    .description('the rows of an import that were refused, as CSV: correct them and import the file again')
    .argument('<importId>')
    .addHelpText('after', examples([['zaslon lists rejected i-42 > rejected.csv', 'all of them']]))
    .action(async (importId: string) => {
      const { client, surroundings } = registry.context(command)
      const request = { accept: 'text/csv', timeoutMs: 0 }
      await writeBody(
        await client.open('control', `${importPath(importId)}/rejected.csv`, request),
        surroundings.stdout,
      )
    })
}

/** Streams an answer's body out, at the reader's pace where the stream has one. */
export async function writeBody(answer: Response, stdout: CommandContext['surroundings']['stdout']): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of answer.body ?? []) {
    const isFull = stdout.write(decoder.decode(chunk, { stream: true })) === false
    if (isFull && 'once' in stdout && typeof stdout.once === 'function') {
      const { once } = stdout
      await new Promise((resolve) => once.call(stdout, 'drain', resolve))
    }
  }
  stdout.write(decoder.decode())
}

function importPath(importId: string): string {
  return `/v1/imports/${encodeURIComponent(printable(importId))}`
}
