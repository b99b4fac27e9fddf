import type { Command } from 'commander'
import { outputOf, parseCount } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { fieldsOf } from '../fields.ts'
import { printable } from '../output.ts'
import { readPolicyFile } from '../policy-file.ts'
import { addRehearse } from './policy-rehearse.ts'

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
