import type { Command } from 'commander'
import { addCallOptions, type CallOptions, toCallEvent } from '../call-options.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { type Fields, fieldsOf } from '../fields.ts'
import { counted, type Output, printable } from '../output.ts'
import { colouredDecision, describeReason } from './check.ts'

/** `zaslon explain <caller> [callee]`: everything behind a verdict, without being a call. */
export function addExplainCommand(program: Command, registry: CommandRegistry): void {
  const command = program
    .command('explain')
    .description('explain what the verdict would be and what would change it; counts nothing')
    .argument('<caller>', 'calling number in any form, or "withheld"')
    .argument('[callee]', 'called number')
  addCallOptions(command)
    .addHelpText(
      'after',
      examples([
        ['zaslon explain +79160000002', 'every signal, every rule'],
        ['zaslon explain +79160000002 --kind international --json', 'for programs'],
      ]),
    )
    .action(async (caller: string, callee: string | undefined, options: CallOptions) => {
      const { output, client } = registry.context(command)
      const json = toCallEvent(caller, callee, options)
      const body = await client.call('control', '/v1/explain', { method: 'POST', json })
      if (output.isJson) return output.json(body)
      printExplanation(output, fieldsOf(body))
    })
}

function printExplanation(output: Output, explanation: Fields): void {
  const { dim } = output.colours
  const verdict = explanation.text('decision')
  output.line(`${colouredDecision(verdict, output.colours)}  score ${explanation.number('score') ?? '?'}`)
  if (explanation.has('step')) output.line(`  decided by: ${printable(explanation.text('step'))}`)
  const trunk = explanation.fields('trunk')
  if (trunk.flag('registered') === false) {
    output.line(`  the trunk ${printable(trunk.text('name'))} is not registered: it counts as none`)
  }
  for (const reason of explanation.items('reasons')) output.line(`  ${describeReason(reason)}`)
  for (const list of explanation.items('lists')) {
    const why = list.text('reason')
    output.line(
      `  on list ${printable(list.text('list'))} (${printable(list.text('kind'))})${why ? `: ${printable(why)}` : ''}`,
    )
  }
  const reputation = explanation.fields('reputation')
  if (reputation.has('reporters')) {
    const people = counted(reputation.number('reporters'), 'person', 'people')
    output.line(`  reported by ${people} in the window, reputation ${reputation.number('score') ?? '?'}`)
  }
  const seen = explanation.items('signals').filter((signal) => (signal.number('strength') ?? 0) > 0)
  if (seen.length > 0) output.line()
  if (seen.length > 0) {
    output.table(['signal', 'strength', 'rule', 'at most', 'points', 'counted'], seen.map(toRow))
  }
  const changes = explanation.items('changes')
  if (changes.length > 0) output.line()
  for (const change of changes) output.line(`  ${describeChange(change)}`)
  output.line(dim(`  by ${printable(explanation.text('policy'))}`))
}

function toRow(signal: Fields): string[] {
  return [
    printable(signal.text('signal')),
    (signal.number('strength') ?? 0).toFixed(2),
    printable(signal.text('mode')),
    String(signal.number('points') ?? ''),
    (signal.number('contribution') ?? 0).toFixed(1),
    signal.items('values').map(describeValue).join(', '),
  ]
}

/** `callees1 20 of 10`: what was counted, and the limit of the policy at which the signal is full. */
function describeValue(value: Fields): string {
  const counted = `${printable(value.text('name'))} ${value.number('value') ?? '?'}`
  return value.has('limit') ? `${counted} of ${value.number('limit') ?? '?'}` : counted
}

/** `block, if reporters were 5 instead of 4`: one smallest change (engine/counterfactuals.ts). */
function describeChange(change: Fields): string {
  const value = (name: string) => printable(change.text(name) ?? change.number(name))
  const then = `${value('verdict')}, if `
  switch (change.text('change')) {
    case 'reporters':
      return `${then}${counted(change.number('to'), 'person', 'people')} had reported it instead of ${value('from')}`
    case 'threshold':
      return `${then}the threshold for ${value('threshold')} were ${value('to')} instead of ${value('from')}`
    case 'list-removed':
      return `${then}it were not on the list ${value('list')} (${value('kind')})`
    case 'list-added':
      return `${then}it stood on a list of kind ${value('kind')}`
    case 'rule-off':
      return `${then}the rule ${value('signal')} were off`
    case 'calls-last-hour':
      return `${then}it had made ${counted(change.number('to'), 'call')} in the last hour instead of ${value('from')}`
    case 'known-contact':
      return `${then}the two ${change.flag('to') ? 'had' : 'had not'} talked within the last days`
    case 'call':
      return `${then}the call had ${value('field')} = ${value('to')}`
    default:
      return `${then}${value('change')}`
  }
}
