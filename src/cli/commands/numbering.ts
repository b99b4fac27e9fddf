import type { Command } from 'commander'
import { asOfFromFileName } from '../../services/import-numbering.ts'
import { orRefused } from '../cli-failure.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { type Fields, fieldsOf, itemsOf } from '../fields.ts'
import { createImportProgress } from '../import-progress.ts'
import { counted, type Output, printable, shortTime, thousands } from '../output.ts'
import { isStalePlan, planAgeDays, planDayMs, readStaleAfterDays } from '../plan-age.ts'
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
      const { output, client, surroundings } = registry.context(command)
      const body = await client.call('control', '/v1/numbering')
      if (output.isJson) return output.json(body)
      const staleAfterDays = await readStaleAfterDays(client)
      const rows = itemsOf(body, 'plans').map((plan) => toRow(plan, surroundings.now(), staleAfterDays))
      output.table(['plan', 'ranges', 'as of', 'age', 'version', 'covers'], rows)
    })
}

function toRow(plan: Fields, nowMs: number, staleAfterDays: number): string[] {
  return [
    printable(plan.text('name')),
    thousands(plan.number('ranges')),
    dayOf(plan),
    ageOf(plan, nowMs, staleAfterDays),
    String(plan.number('version') ?? ''),
    coversOf(plan),
  ]
}

function dayOf(plan: Fields): string {
  return shortTime(plan.text('asOf')).slice(0, 10)
}

function ageOf(plan: Fields, nowMs: number, staleAfterDays: number): string {
  const days = planAgeDays(plan, nowMs)
  if (days === undefined) return ''
  return `${counted(days, 'day')}${isStalePlan(plan, nowMs, staleAfterDays) ? ', stale' : ''}`
}

/** Two mistakes that nothing refuses: an old file, and one older than what was in force. */
function warnOfAge(output: Output, plan: Fields, previous: Fields | undefined, age: string): void {
  const name = printable(plan.text('name'))
  if (age.endsWith('stale')) {
    output.note(`warning: The plan ${name} is ${age.replace(', stale', ' old')}: it only flags. Is there a newer file?`)
  }
  const beforeMs = previous === undefined ? undefined : planDayMs(previous)
  if (previous === undefined || beforeMs === undefined || beforeMs <= (planDayMs(plan) ?? beforeMs)) return
  output.note(`warning: The plan ${name} of ${dayOf(plan)} replaced a newer one, of ${dayOf(previous)}.`)
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
      const { output, client } = context
      const progress = createImportProgress(context.surroundings.stderr, output.isJson)
      const query = { asOf: options.asOf ?? dayInName(file), country: options.country }
      const path = `/v1/numbering/${encodeURIComponent(plan)}/imports`
      try {
        const plans = itemsOf(await orRefused(client.call('control', '/v1/numbering')), 'plans')
        const body = await upload(context, path, query, await openSource(context, file), progress)
        progress.stop()
        const answer = fieldsOf(body)
        const age = ageOf(answer, context.surroundings.now(), await readStaleAfterDays(client))
        const previous = plans.find((known) => known.text('name') === plan)
        warnOfAge(output, answer, previous, age)
        if (output.isJson) return output.json(body)
        const rows = `${thousands(answer.number('accepted'))} of ${counted(answer.number('rows'), 'row')}`
        output.line(`The plan ${printable(answer.text('name'))} of ${dayOf(answer)} is in force: ${rows} taken.`)
        output.line(`  covers ${coversOf(answer)}`)
      } finally {
        progress.stop()
      }
    })
}
