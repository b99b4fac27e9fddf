import { type Command, Option } from 'commander'
import { LIST_KINDS } from '../../domain/number-list.ts'
import { CliFailure, usageFailure } from '../cli-failure.ts'
import { parseCount } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { type Fields, fieldsOf, itemsOf } from '../fields.ts'
import { type Output, printable, shortTime, thousands } from '../output.ts'
import type { ServiceClient } from '../service-client.ts'
import { addEntryCommands } from './lists-entries.ts'
import { addImportCommands, addListsImportCommand, writeBody } from './lists-import.ts'

const VERSION_MAX = 2 ** 31

/** `zaslon lists …`: what is on the lists, and every way to change it. */
export function addListsCommand(program: Command, registry: CommandRegistry): void {
  const lists = program
    .command('lists')
    .description('number lists: load, look, restore')
    .addHelpText(
      'after',
      examples([
        ['zaslon lists create scammers --kind deny', 'a new list'],
        ['zaslon lists import scammers numbers.csv', 'load it and put it in force'],
        ['zaslon lists restore scammers 3', 'undo'],
      ]),
    )
  addLs(lists, registry)
  addCreate(lists, registry)
  addListsImportCommand(lists, registry)
  addImportCommands(lists, registry)
  addShow(lists, registry)
  addVersions(lists, registry)
  addRestore(lists, registry)
  addExport(lists, registry)
  addEntryCommands(lists, registry)
}

function addLs(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('ls')
    .description('all lists')
    .addHelpText('after', examples([['zaslon lists ls', 'all lists with their sizes']]))
    .action(async () => {
      const { output, client } = registry.context(command)
      const body = await client.call('control', '/v1/lists')
      if (output.isJson) return output.json(body)
      output.table(['list', 'kind', 'entries', 'version', 'title'], itemsOf(body, 'lists').map(toRow))
    })
}

function toRow(list: Fields): string[] {
  return [
    printable(list.text('name')),
    printable(list.text('kind')),
    thousands(list.number('entries')),
    String(list.number('activeVersion') ?? ''),
    printable(list.text('title')),
  ]
}

function addCreate(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('create')
    .description('create a list, or change its title')
    .argument('<list>', 'lower-case words joined by hyphens')
    .addOption(
      new Option('--kind <kind>', 'what being on it means; an existing list keeps its own').choices(LIST_KINDS),
    )
    .option('--title <title>', 'for people')
    .addHelpText(
      'after',
      examples([
        ['zaslon lists create scammers --kind deny', 'callers on it are blocked'],
        ['zaslon lists create scammers --title "Hotline"', 'another title for a list that is there'],
        ['zaslon lists create banks --kind protected --title "Banks"', 'callers on it are never blocked by score'],
      ]),
    )
    .action(async (list: string, options: { kind?: string; title?: string }) => {
      const { output, client } = registry.context(command)
      const kind = options.kind ?? (await kindOf(client, list))
      const json = { kind, ...(options.title ? { title: options.title } : {}) }
      const body = await client.call('control', listPath(list), { method: 'PUT', json })
      if (output.isJson) return output.json(body)
      output.line(`The list ${printable(list)} (${printable(kind)}) is there.`)
    })
}

/** The kind of a list that exists. A new one needs --kind: nobody should guess what being on it means. */
async function kindOf(client: ServiceClient, list: string): Promise<string> {
  try {
    const kind = fieldsOf(await client.call('control', listPath(list))).text('kind')
    if (kind !== undefined) return kind
  } catch (error) {
    if (!(error instanceof CliFailure && error.problem.code === 'LIST_UNKNOWN')) throw error
  }
  throw usageFailure(
    `There is no list ${list} yet: a new one needs --kind.`,
    `--kind is one of ${LIST_KINDS.join(', ')}.`,
  )
}

function addShow(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('show')
    .description('one list')
    .argument('<list>')
    .addHelpText('after', examples([['zaslon lists show scammers', 'its size, version and who changed it last']]))
    .action(async (list: string) => {
      const { output, client } = registry.context(command)
      const body = await client.call('control', listPath(list))
      if (output.isJson) return output.json(body)
      printList(output, fieldsOf(body))
    })
}

function printList(output: Output, list: Fields): void {
  const { bold } = output.colours
  output.line(
    `${bold(printable(list.text('name')))}  ${printable(list.text('kind'))}  ${printable(list.text('title'))}`,
  )
  output.line(`  entries  ${thousands(list.number('entries'))}`)
  output.line(`  version  ${list.number('activeVersion') || 'none yet'}`)
  const active = list.fields('activatedFrom')
  if (active.has('actor'))
    output.line(`  made     ${shortTime(active.text('createdAt'))} by ${printable(active.text('actor'))}`)
}

function addVersions(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('versions')
    .description('versions of a list that can be restored')
    .argument('<list>')
    .addHelpText('after', examples([['zaslon lists versions scammers', 'then: zaslon lists restore scammers 3']]))
    .action(async (list: string) => {
      const { output, client } = registry.context(command)
      const body = await client.call('control', `${listPath(list)}/versions`)
      if (output.isJson) return output.json(body)
      const head = ['version', 'entries', 'made (UTC)', 'by', 'import', 'note']
      output.table(head, itemsOf(body, 'versions').map(toVersionRow))
    })
}

function toVersionRow(version: Fields): string[] {
  return [
    `${version.number('version') ?? '?'}${version.flag('active') ? ' *' : ''}`,
    thousands(version.number('entries')),
    shortTime(version.text('createdAt')),
    printable(version.text('actor')),
    printable(version.text('importId')),
    printable(version.text('note')),
  ]
}

function addRestore(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('restore')
    .description('put an earlier version of a list in force again')
    .argument('<list>')
    .argument('<version>')
    .addHelpText('after', examples([['zaslon lists restore scammers 3', 'undo what came after version 3']]))
    .action(async (list: string, version: string) => {
      const { output, client } = registry.context(command)
      const json = { version: parseCount('<version>', version, VERSION_MAX) }
      const body = await client.call('control', `${listPath(list)}/restore`, { method: 'POST', json })
      if (output.isJson) return output.json(body)
      output.line(`The list ${printable(list)} is at version ${json.version} again.`)
    })
}

function addExport(lists: Command, registry: CommandRegistry): void {
  const command = lists
    .command('export')
    .description('write a list to standard output, as CSV that can be imported again')
    .argument('<list>')
    .addHelpText('after', examples([['zaslon lists export scammers > scammers.csv', 'streams, whatever its size']]))
    .action(async (list: string) => {
      const { client, surroundings } = registry.context(command)
      const request = { accept: 'text/csv', timeoutMs: 0 }
      await writeBody(await client.open('control', `${listPath(list)}/entries`, request), surroundings.stdout)
    })
}

function listPath(list: string): string {
  return `/v1/lists/${encodeURIComponent(list)}`
}
