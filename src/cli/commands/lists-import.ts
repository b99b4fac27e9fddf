import { type Command, Option } from 'commander'
import { IMPORT_MODES } from '../../domain/import.ts'
import { CliFailure } from '../cli-failure.ts'
import type { CommandContext } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { EXIT } from '../exit-codes.ts'
import { type Fields, fieldsOf, itemsOf } from '../fields.ts'
import { exitCodeOfImport, followImport, printImport } from '../follow-import.ts'
import { createImportProgress, type ImportProgress } from '../import-progress.ts'
import { printable, shortTime, thousands } from '../output.ts'
import { openSource, upload } from '../upload.ts'

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
      const query = { mode: options.mode, country: options.country, dryRun: options.dryRun }
      try {
        const path = `/v1/lists/${encodeURIComponent(list)}/imports`
        const answer = fieldsOf(await upload(context, path, query, await openSource(context, file), progress))
        const importId = answer.text('importId')
        if (!importId) throw new CliFailure(EXIT.failed, 'The service did not name the import.')
        registry.exitWith(await finish(context, importId, progress, options.wait))
      } finally {
        progress.stop()
      }
    })
}

/** Waits for the end (or not), prints it, and resolves with the exit code. */
async function finish(
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

function printEnd({ output }: CommandContext, record: Fields): number {
  if (output.isJson) output.json(record.value)
  else if (record.fields('counts').number('rows') || record.text('state') !== 'failed') printImport(output, record)
  return exitCodeOfImport(record)
}

/** What can be done with an import that exists. */
export function addImportCommands(lists: Command, registry: CommandRegistry): void {
  addImports(lists, registry)
  addStatus(lists, registry)
  addActivate(lists, registry)
  addCancel(lists, registry)
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

function addImports(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('imports')
    .description('imports that are still known, newest first')
    .addHelpText('after', examples([['zaslon lists imports', 'what was loaded lately, by whom']]))
    .action(async () => {
      const { output, client } = registry.context(command)
      const body = await client.call('control', '/v1/imports')
      if (output.isJson) return output.json(body)
      const head = ['import', 'list', 'mode', 'state', 'rows', 'rejected', 'begun (UTC)', 'by']
      output.table(head, itemsOf(body, 'imports').map(toRow))
    })
}

function toRow(record: Fields): string[] {
  const counts = record.fields('counts')
  return [
    printable(record.text('importId')),
    printable(record.text('list')),
    `${printable(record.text('mode'))}${record.flag('dryRun') ? ' (dry run)' : ''}`,
    printable(record.text('state')),
    thousands(counts.number('rows')),
    thousands(counts.number('rejected')),
    shortTime(record.text('createdAt')),
    printable(record.text('actor')),
  ]
}

function addCancel(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('cancel')
    .description('give up an import that is not in force')
    .argument('<importId>')
    .addHelpText('after', examples([['zaslon lists cancel i-42', 'after a --dry-run that looked wrong']]))
    .action(async (importId: string) => {
      const { output, client } = registry.context(command)
      const body = await client.call('control', `${importPath(importId)}/cancel`, { method: 'POST' })
      if (output.isJson) return output.json(body)
      output.line(`The import ${printable(importId)} is cancelled.`)
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
