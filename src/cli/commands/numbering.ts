import type { Command } from 'commander'
import { asOfFromFileName } from '../../services/import-numbering.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { type Fields, fieldsOf, itemsOf } from '../fields.ts'
import { createImportProgress } from '../import-progress.ts'
import { printable, shortTime, thousands } from '../output.ts'
import { openSource, upload } from '../upload.ts'

/** `zaslon numbering …`: which numbers can exist at all. */
export function addNumberingCommand(program: Command, registry: CommandRegistry): void {
  const numbering = program
    .command('numbering')
    .description('numbering plans: which numbers can exist')
    .addHelpText(
      'after',
      examples([
        ['zaslon numbering ls', 'which plans there are, and how old'],
        ['zaslon numbering import ru-mobile DEF-9xx.csv', 'load one'],
      ]),
    )
  addLs(numbering, registry)
  addImport(numbering, registry)
}

function addLs(numbering: Command, registry: CommandRegistry): void {
  const command = numbering
    .command('ls')
    .description('numbering plans and how old they are')
    .addHelpText('after', examples([['zaslon numbering ls', 'plans older than 35 days only flag']]))
    .action(async () => {
      const { output, client } = registry.context(command)
      const body = await client.call('control', '/v1/numbering')
      if (output.isJson) return output.json(body)
      output.table(['plan', 'ranges', 'as of', 'version', 'covers'], itemsOf(body, 'plans').map(toRow))
    })
}

function toRow(plan: Fields): string[] {
  return [
    printable(plan.text('name')),
    thousands(plan.number('ranges')),
    dayOf(plan),
    String(plan.number('version') ?? ''),
    coversOf(plan),
  ]
}

function dayOf(plan: Fields): string {
  return shortTime(plan.text('asOf')).slice(0, 10)
}

function dayInName(file: string): string | undefined {
  const atMs = asOfFromFileName(file)
  return atMs === undefined ? undefined : new Date(atMs).toISOString().slice(0, 10)
}

/** Covered ranges shown of a plan; the regulator's largest file covers some hundred. */
const COVERS_SHOWN = 3

function coversOf(plan: Fields): string {
  const covers: unknown = plan.fields('covers').value
  if (!Array.isArray(covers)) return ''
  const more = covers.length > COVERS_SHOWN ? ` and ${covers.length - COVERS_SHOWN} more` : ''
  return `${covers.slice(0, COVERS_SHOWN).map(printable).join(', ')}${more}`
}

function addImport(numbering: Command, registry: CommandRegistry): void {
  const command = numbering
    .command('import')
    .description("load a regulator's range file as a plan; one of the same name is replaced")
    .argument('<plan>', 'name of the plan')
    .argument('<file>', 'range file; "-" is standard input')
    .option('--as-of <day>', 'the day the file describes (default: from its name, as in …_2026-08.csv, else now)')
    .option('--country <code>', 'country of the numbers (default: the home country)')
    .addHelpText(
      'after',
      examples([['zaslon numbering import ru-mobile DEF-9xx.csv --as-of 2026-03-01', 'mobile numbers of Russia']]),
    )
    .action(async (plan: string, file: string, options: { asOf?: string; country?: string }) => {
      const context = registry.context(command)
      const { output } = context
      const progress = createImportProgress(context.surroundings.stderr, output.isJson)
      const query = { asOf: options.asOf ?? dayInName(file), country: options.country }
      const path = `/v1/numbering/${encodeURIComponent(plan)}/imports`
      try {
        const body = await upload(context, path, query, await openSource(context, file), progress)
        progress.stop()
        if (output.isJson) return output.json(body)
        const answer = fieldsOf(body)
        const rows = `${thousands(answer.number('accepted'))} of ${thousands(answer.number('rows'))} rows`
        output.line(`The plan ${printable(answer.text('name'))} of ${dayOf(answer)} is in force: ${rows} taken.`)
        output.line(`  covers ${coversOf(answer)}`)
      } finally {
        progress.stop()
      }
    })
}
