import type { Command } from 'commander'
import type { RecordState } from '../../domain/record-view.ts'
import { CliFailure } from '../cli-failure.ts'
import type { CommandContext } from '../command-context.ts'
import { confirm } from '../confirm.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { type Fields, fieldsOf } from '../fields.ts'
import { counted, printable } from '../output.ts'
import { countPartitions, nextStep, partitionsText, printRecord } from '../print-record.ts'

type DecideOptions = { readonly yes?: boolean; readonly replaceRecord?: boolean }

/** What restore writes anew. */
const RESTORED: readonly RecordState[] = ['waiting', 'lost', 'diverged', 'damaged']

const REPLACING =
  'Another record in Redis is removed with everything written to it. Its nodes need new data directories, or to be stopped.'

/** `zaslon record …`: how a node stands to the record in Redis, and what to do when the two disagree. */
export function addRecordCommand(program: Command, registry: CommandRegistry): void {
  const record = program
    .command('record')
    .description('how a node stands to the record in Redis')
    .addHelpText(
      'after',
      examples([
        ['zaslon record status', 'does this node follow Redis?'],
        ['zaslon record accept', 'Redis is right'],
        ['zaslon record restore', 'this node is right'],
      ]),
    )
  addStatus(record, registry)
  addAccept(record, registry)
  addRestore(record, registry)
}

function addStatus(record: Command, registry: CommandRegistry): void {
  const command = record
    .command('status')
    .description('state, age, outbox and partitions, as one node sees them')
    .addHelpText(
      'after',
      examples([
        ['zaslon record status', 'of the node on this machine'],
        ['zaslon record status --url http://10.0.0.6:8080', 'of another one'],
        ['zaslon record status --json | jq -r .state', 'for scripts'],
      ]),
    )
    .action(async () => {
      const { output, client, surroundings } = registry.context(command)
      const body = await client.call('control', '/v1/record')
      if (output.isJson) return output.json(body)
      printRecord(output, fieldsOf(body), surroundings.now())
    })
}

function addAccept(record: Command, registry: CommandRegistry): void {
  const command = record
    .command('accept')
    .description('Redis is right: this node takes its state from there')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      examples([['zaslon record accept', 'after Redis was restored from a backup, on a node that says diverged']]),
    )
    .action(async (options: DecideOptions) => {
      const context = registry.context(command)
      const view = await sharedRecord(context)
      const code = await decide(context, 'accept', options, [
        `${counted(countPartitions(view), 'partition')}: ${partitionsText(view)}.`,
        `This node will take its state from ${printable(view.text('redis'))}.`,
        'What it has and Redis has not is gone, but for what waits in the outbox.',
      ])
      registry.exitWith(code)
    })
}

function addRestore(record: Command, registry: CommandRegistry): void {
  const command = record
    .command('restore')
    .description('this node is right: it writes to Redis what is lost, diverged or damaged there')
    .option('--replace-record', 'remove another record that is in Redis first, with everything in it')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      examples([
        ['zaslon record restore', 'Redis was emptied: once, on the node with the newest state'],
        ['zaslon record restore --replace-record', '… and a node that was new has begun a record there'],
      ]),
    )
    .action(async (options: DecideOptions) => {
      const context = registry.context(command)
      const view = await sharedRecord(context)
      registry.exitWith(await restore(context, view, options))
    })
}

function restore(context: CommandContext, view: Fields, options: DecideOptions): Promise<ExitCode> {
  // Of one that is away nobody knows what it will be when it is asked.
  if (countPartitions(view, [...RESTORED, 'away']) === 0) {
    return decide(context, 'restore', { yes: true }, [
      'No partition is lost, diverged or damaged: only contents of lists that Redis misses will be written there.',
    ])
  }
  const anew = counted(countPartitions(view, RESTORED), 'partition')
  return decide(context, 'restore', options, [
    `${counted(countPartitions(view), 'partition')}: ${partitionsText(view)}.`,
    `${anew} (${partitionsText(view, RESTORED)}) will be written to ${printable(view.text('redis'))} from this node.`,
    'What Redis has there and this node has not is gone for all nodes.',
    ...(options.replaceRecord === true ? [REPLACING] : []),
  ])
}

/** Throws CliFailure `refused` when the node is its own record. */
async function sharedRecord({ client }: CommandContext): Promise<Fields> {
  const view = fieldsOf(await client.call('control', '/v1/record'))
  if (view.text('kind') !== 'embedded') {
    assertReached(view)
    return view
  }
  const hint = 'Name another node with --url, or restore a backup of the data directory.'
  const problem = { code: 'RECORD_EMBEDDED', hint }
  throw new CliFailure(EXIT.refused, 'This node is its own record: there is no other to take or to write.', problem)
}

function hintOf(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint }
}

/** Throws CliFailure `failed` when there is no Redis to take from or to write to. */
function assertReached(view: Fields): void {
  const away = countPartitions(view, ['away'])
  if (away === 0 || away < countPartitions(view)) return
  const problem = view.fields('problem')
  const detail = problem.has('detail') ? ` ${printable(problem.text('detail'))}` : ''
  throw new CliFailure(EXIT.failed, `Redis cannot be reached: nothing was changed.${detail}`, {
    code: problem.text('code') ?? 'UNAVAILABLE',
    ...hintOf(nextStep(view)),
  })
}

async function decide(
  context: CommandContext,
  word: 'accept' | 'restore',
  { yes, replaceRecord = false }: DecideOptions,
  consequences: readonly string[],
): Promise<ExitCode> {
  const { output, client, surroundings } = context
  if (!output.isJson) for (const sentence of consequences) output.note(sentence)
  if (yes !== true) await confirm(context, word)
  // A whole record may have to be read or written.
  const body = await client.call('control', `/v1/record/${word}${replaceRecord ? '?replace=true' : ''}`, {
    method: 'POST',
    timeoutMs: 0,
  })
  const view = fieldsOf(body)
  if (output.isJson) output.json(body)
  else {
    output.line(closingSentence(word, view))
    printRecord(output, view, surroundings.now())
  }
  return view.text('state') === 'following' ? EXIT.ok : EXIT.failed
}

/** What is true afterwards: the word may be carried out and the node still not follow. */
function closingSentence(word: 'accept' | 'restore', view: Fields): string {
  if (view.text('state') === 'following') {
    return word === 'accept' ? 'This node has its state from Redis.' : 'Redis has its state from this node.'
  }
  return `This node does not follow the record in Redis yet: ${partitionsText(view)}.`
}
