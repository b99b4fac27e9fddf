import type { Command } from 'commander'
import { addCallOptions, type CallOptions, toCallEvent } from '../call-options.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { type Fields, fieldsOf } from '../fields.ts'
import { type Output, printable } from '../output.ts'
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
  output.line(
    `${colouredDecision(explanation.text('decision'), output.colours)}  score ${explanation.number('score') ?? '?'}`,
  )
  for (const reason of explanation.items('reasons')) output.line(`  ${describeReason(reason)}`)
  const signals = explanation.items('signals')
  if (signals.length > 0) {
    output.line()
    output.table(['signal', 'strength', 'rule', 'points'], signals.map(toRow))
  }
  output.line(dim(`by ${printable(explanation.text('policy'))}`))
}

function toRow(signal: Fields): string[] {
  const strength = signal.number('strength')
  return [
    printable(signal.text('signal') ?? signal.text('name')),
    strength === undefined ? '' : strength.toFixed(2),
    printable(signal.text('mode')),
    String(signal.number('points') ?? ''),
  ]
}
