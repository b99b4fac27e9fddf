import { createReadStream } from 'node:fs'
import type { Command } from 'commander'
import { type CommandRegistry, examples } from '../create-program.ts'
import { type Fields, itemsOf } from '../fields.ts'
import { createImportProgress } from '../import-progress.ts'
import { printable, shortTime, thousands } from '../output.ts'
import { finish, upload } from './lists-import.ts'

type NumberingOptions = { readonly covers?: string; readonly asOf?: string; readonly country?: string }

/** `zaslon numbering …`: which numbers can exist at all. */
export function addNumberingCommand(program: Command, registry: CommandRegistry): void {
  const numbering = program
    .command('numbering')
    .description('numbering plans: which numbers can exist')
    .addHelpText(
      'after',
      examples([
        ['zaslon numbering ls', 'which plans there are, and how old'],
        ['zaslon numbering import ru DEF-9xx.csv --covers 79', 'load one'],
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
      output.table(['plan', 'ranges', 'as of', 'version'], itemsOf(body, 'plans').map(toRow))
    })
}

function toRow(plan: Fields): string[] {
  return [
    printable(plan.text('name')),
    thousands(plan.number('rangeCount')),
    shortTime(plan.text('asOf')).slice(0, 10),
    String(plan.number('version') ?? ''),
  ]
}

function addImport(numbering: Command, registry: CommandRegistry): void {
  const command = numbering
    .command('import')
    .description("load the regulator's range files as one plan")
    .argument('<plan>', 'name of the plan')
    .argument('<files...>', 'range files')
    .option(
      '--covers <prefixes>',
      'prefixes the plan speaks for: inside them a number outside every range cannot exist',
    )
    .option('--as-of <day>', 'the day the files describe (default: today)')
    .option('--country <code>', 'country of the numbers')
    .addHelpText(
      'after',
      examples([['zaslon numbering import ru DEF-9xx.csv --covers 79 --as-of 2026-03-01', 'mobile numbers of Russia']]),
    )
    .action(async (plan: string, files: string[], options: NumberingOptions) => {
      const context = registry.context(command)
      const progress = createImportProgress(context.surroundings.stderr, context.output.isJson)
      const query = { covers: options.covers, asOf: options.asOf, country: options.country }
      const path = `/v1/numbering/${encodeURIComponent(plan)}/imports`
      const importId = await upload(context, path, query, concatenate(files), progress)
      registry.exitWith(await finish(context, importId, progress, true))
    })
}

/** The files one after the other, each ending in a new line. */
async function* concatenate(files: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const file of files) {
    yield* createReadStream(file) as AsyncIterable<Uint8Array>
    yield Buffer.from('\n')
  }
}
