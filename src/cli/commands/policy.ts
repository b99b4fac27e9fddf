import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { parse as parseYaml } from 'yaml'
import { parsePolicy } from '../../domain/parse-policy.ts'
import type { PolicyDocument } from '../../domain/policy.ts'
import { CliFailure } from '../cli-failure.ts'
import { outputOf, parseCount } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { EXIT } from '../exit-codes.ts'
import { type Fields, fieldsOf } from '../fields.ts'
import { counted, printable, thousands } from '../output.ts'
import { parseSince } from './decisions.ts'

const VERSION_MAX = 2 ** 31

/** `zaslon policy …`: the rules and thresholds in force. */
export function addPolicyCommand(program: Command, registry: CommandRegistry): void {
  const policy = program
    .command('policy')
    .description('the rules and thresholds in force')
    .addHelpText(
      'after',
      examples([
        ['zaslon policy show > policy.yaml', 'get it'],
        ['zaslon policy rehearse policy.yaml', 'try a change on recorded calls'],
        ['zaslon policy set policy.yaml', 'put it in force'],
      ]),
    )
  addShow(policy, registry)
  addValidate(policy, registry)
  addSet(policy, registry)
  addRehearse(policy, registry)
}

function addShow(policy: Command, registry: CommandRegistry): void {
  const command = policy
    .command('show')
    .description('print the policy in force, as YAML')
    .addHelpText(
      'after',
      examples([
        ['zaslon policy show > policy.yaml', 'get it, edit it, set it again'],
        ['zaslon policy show --json | jq .version', 'its version'],
      ]),
    )
    .action(async () => {
      const { output, client } = registry.context(command)
      const body = await client.call('control', '/v1/policy')
      if (output.isJson) return output.json(body)
      const text = fieldsOf(body).text('text') ?? ''
      output.line(text.replace(/\n$/, ''))
    })
}

function addValidate(policy: Command, registry: CommandRegistry): void {
  const command = policy
    .command('validate')
    .description('check a policy file here, without a node')
    .argument('<file>', 'YAML')
    .addHelpText('after', examples([['zaslon policy validate policy.yaml', 'every mistake at once']]))
    .action(async (file: string) => {
      const output = outputOf(command.optsWithGlobals(), registry.surroundings)
      const { document } = await readPolicyFile(file)
      if (output.isJson) return output.json({ valid: true, name: document.name, rules: document.rules.length })
      output.line(
        `${printable(file)} is a valid policy: "${printable(document.name)}", ${document.rules.length} rules.`,
      )
    })
}

function addSet(policy: Command, registry: CommandRegistry): void {
  const command = policy
    .command('set')
    .description('put a policy in force')
    .argument('<file>', 'YAML')
    .option('--if-version <version>', 'only when this version is in force: nobody else changed it meanwhile')
    .addHelpText(
      'after',
      examples([
        ['zaslon policy set policy.yaml', 'put it in force'],
        ['zaslon policy set policy.yaml --if-version 3', 'unless somebody changed it meanwhile'],
      ]),
    )
    .action(async (file: string, options: { ifVersion?: string }) => {
      const { output, client } = registry.context(command)
      const { text } = await readPolicyFile(file)
      const expectedVersion = options.ifVersion && parseCount('--if-version', options.ifVersion, VERSION_MAX)
      const json = { text, ...(expectedVersion ? { expectedVersion } : {}) }
      const body = await client.call('control', '/v1/policy', { method: 'PUT', json })
      if (output.isJson) return output.json(body)
      const answer = fieldsOf(body)
      output.line(
        `${printable(answer.text('name') ?? 'The policy')} is in force as version ${answer.number('version') ?? '?'}.`,
      )
    })
}

function addRehearse(policy: Command, registry: CommandRegistry): void {
  const command = policy
    .command('rehearse')
    .description('replay recorded calls under a policy that is not in force')
    .argument('<file>', 'YAML')
    .option('--since <time>', 'from this time on: 2026-03-01T12:00:00Z, or 12h, 7d ago', '24h')
    .option('--until <time>', 'up to this time')
    .addHelpText(
      'after',
      examples([['zaslon policy rehearse policy.yaml --since 24h', "what it would change in the last day's calls"]]),
    )
    .action(async (file: string, options: { since: string; until?: string }) => {
      const { output, client, surroundings } = registry.context(command)
      const { text } = await readPolicyFile(file)
      const from = parseSince(options.since, surroundings.now())
      const to = parseSince(options.until, surroundings.now())
      const json = { text, ...(from ? { from } : {}), ...(to ? { to } : {}) }
      const body = await client.call('control', '/v1/policy/rehearse', { method: 'POST', json, timeoutMs: 0 })
      if (output.isJson) return output.json(body)
      const rehearsal = fieldsOf(body)
      output.line(
        `${thousands(rehearsal.number('changed'))} of ${counted(rehearsal.number('decisions'), 'recorded decision')} would change.`,
      )
      output.table(['from', 'to', 'decisions'], rehearsal.items('changes').map(toRow))
      const caveats: unknown = rehearsal.fields('caveats').value
      if (Array.isArray(caveats)) for (const caveat of caveats) output.note(printable(caveat))
    })
}

function toRow(change: Fields): string[] {
  return [printable(change.text('from')), printable(change.text('to')), thousands(change.number('count'))]
}

/** Reads and checks a policy file. Throws POLICY_INVALID with every mistake, or a failure that names the file. */
async function readPolicyFile(file: string): Promise<{ text: string; document: PolicyDocument }> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new CliFailure(EXIT.failed, `The file ${file} cannot be read.`, { code: 'FILE_UNREADABLE' }, { cause })
  }
  let value: unknown
  try {
    value = parseYaml(text)
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
    throw new CliFailure(EXIT.failed, `${file} is not YAML: ${why}`, { code: 'POLICY_INVALID' }, { cause })
  }
  return { text, document: parsePolicy(value) }
}
