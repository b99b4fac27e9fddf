import type { Command } from 'commander'
import { addCallOptions, type CallOptions, toCallEvent } from '../call-options.ts'
import type { CommandContext } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { EXIT } from '../exit-codes.ts'
import { type Fields, fieldsOf } from '../fields.ts'
import { type Colours, printable } from '../output.ts'

/** `zaslon check <caller> [callee]`: one verdict, as a switch would get it. It counts like a call. */
export function addCheckCommand(program: Command, registry: CommandRegistry): void {
  const command = program
    .command('check')
    .description('ask for one verdict, as a switch would')
    .argument('<caller>', 'calling number in any form, or "withheld"')
    .argument('[callee]', 'called number')
    .option('--exit-code', 'tell the verdict by the exit code: 0 allow, 10 flag, 11 block')
  addCallOptions(command)
    .addHelpText(
      'after',
      examples([
        ['zaslon check +79160000002', 'a verdict for people'],
        ['zaslon check 89160000002 112', 'an emergency number always gets through'],
        ['zaslon check +79160000002 --kind international --roaming denied', 'a national number from abroad'],
        ['zaslon check +79160000002 --json | jq .decision', 'for programs'],
        ['zaslon check +79160000002 --exit-code && echo allowed', 'for scripts'],
      ]),
    )
    .action(async (caller: string, callee: string | undefined, options: CallOptions & { exitCode?: boolean }) => {
      const context = registry.context(command)
      const event = toCallEvent(caller, callee, options)
      const body = await context.client.call('verdict', '/v1/verdict', { method: 'POST', json: event })
      const verdict = fieldsOf(body)
      if (context.output.isJson) context.output.json(body)
      else printVerdict(context, verdict)
      if (options.exitCode) registry.exitWith(exitCodeOf(verdict.text('decision')))
    })
}

function exitCodeOf(decision: string | undefined): number {
  if (decision === 'flag') return EXIT.flag
  return decision === 'block' ? EXIT.block : EXIT.ok
}

/** BLOCK in red, FLAG in yellow, ALLOW in green. */
export function colouredDecision(decision: string | undefined, colours: Colours): string {
  const word = printable(decision ?? '?').toUpperCase()
  if (decision === 'block') return colours.red(colours.bold(word))
  if (decision === 'flag') return colours.yellow(colours.bold(word))
  return colours.green(colours.bold(word))
}

function printVerdict({ output }: CommandContext, verdict: Fields): void {
  const { dim } = output.colours
  output.line(`${colouredDecision(verdict.text('decision'), output.colours)}  score ${verdict.number('score') ?? '?'}`)
  for (const reason of verdict.items('reasons')) output.line(`  ${describeReason(reason)}`)
  const sip = verdict.fields('sip')
  if (sip.text('action') === 'reject') {
    output.line(`  ${dim('sip')} ${sip.number('status') ?? '?'} ${printable(sip.text('phrase'))}`)
  }
  for (const [name, value] of Object.entries(sip.fields('headers').value ?? {})) {
    output.line(`  ${dim(`${printable(name)}:`)} ${printable(value)}`)
  }
  const label = verdict.fields('label')
  if (label.has('code'))
    output.line(`  ${dim('label')} ${printable(label.text('code'))} "${printable(label.text('text'))}"`)
  output.line(dim(`  verdict ${printable(verdict.text('verdictId'))} by ${printable(verdict.text('policy'))}`))
}

/** `listed (analytics): list scammers (deny), +97 points`. */
export function describeReason(reason: Fields): string {
  const points = reason.number('points')
  const details = [
    reason.has('list') ? `list ${printable(reason.text('list'))} (${printable(reason.text('kind'))})` : '',
    points === undefined ? '' : `${points > 0 ? '+' : ''}${points} ${Math.abs(points) === 1 ? 'point' : 'points'}`,
  ].filter((text) => text !== '')
  return `${printable(reason.text('code'))} (${printable(reason.text('basis'))})${details.length > 0 ? `: ${details.join(', ')}` : ''}`
}
