import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { type Fields, fieldsOf } from '../fields.ts'
import type { Output } from '../output.ts'

/** `zaslon clock …`: the time a node goes by, and what to do when the machine's clock has jumped. */
export function addClockCommand(program: Command, registry: CommandRegistry): void {
  const clock = program
    .command('clock')
    .description("the time a node goes by, and the machine's clock")
    .addHelpText(
      'after',
      examples([
        ['zaslon clock status', 'do the two agree?'],
        ['zaslon clock accept', "the machine's clock is right"],
      ]),
    )
  const status = clock
    .command('status')
    .description('both times, and how far they are apart')
    .addHelpText('after', examples([['zaslon clock status --json | jq -r .state', 'for scripts']]))
    .action(async () => {
      const { output, client } = registry.context(status)
      const body = await client.call('control', '/v1/clock')
      if (output.isJson) return output.json(body)
      print(output, fieldsOf(body))
    })
  const accept = clock
    .command('accept')
    .description("the machine's clock is right: the node goes by it from now on")
    .option('--yes', 'do not ask')
    .addHelpText('after', examples([['zaslon clock accept', 'after the machine got the right time']]))
    .action(async ({ yes }: { readonly yes?: boolean }) => {
      const context = registry.context(accept)
      const { output, client } = context
      const before = fieldsOf(await client.call('control', '/v1/clock'))
      if (!output.isJson) print(output, before)
      if (before.text('state') === 'jumped' && yes !== true) {
        if (!output.isJson) output.note("What has run out by the machine's clock ends at once.")
        await confirm(context, 'accept')
      }
      const body = await client.call('control', '/v1/clock/accept', { method: 'POST' })
      if (output.isJson) return output.json(body)
      output.line("The node goes by the machine's clock.")
    })
}

function print(output: Output, view: Fields): void {
  const aheadSeconds = view.number('aheadSeconds') ?? 0
  output.line(`node     ${view.text('now')}`)
  output.line(`machine  ${view.text('machine')}`)
  if (view.text('state') === 'steady') {
    output.line('They are one.')
    return
  }
  const side = aheadSeconds > 0 ? 'ahead' : 'behind'
  output.line(
    `The machine's clock jumped: it is ${Math.abs(aheadSeconds)} s ${side}. The node goes by the time that has passed.`,
  )
}
