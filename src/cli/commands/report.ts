import { type Command, Option } from 'commander'
import { INGRESS_KINDS } from '../../domain/call-event.ts'
import { CHANNELS, SCENARIOS } from '../../domain/report.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { fieldsOf } from '../fields.ts'
import { counted, printable } from '../output.ts'

type ReportOptions = {
  readonly channel: string
  readonly scenario: string
  readonly reporter: string
  readonly reportId?: string
  readonly at?: string
  readonly callId?: string
  readonly kind?: string
  readonly note?: string
}

/** `zaslon report <number>`: what a hotline agent files. */
export function addReportCommand(program: Command, registry: CommandRegistry): void {
  const command = program
    .command('report')
    .description('report a number that tried to cheat')
    .argument('<number>', 'the calling number, as the phone showed it')
    .requiredOption('--reporter <who>', "the subscriber's number, or an opaque id")
    .addOption(new Option('--channel <channel>', 'where the report came in').choices(CHANNELS).default('hotline'))
    .addOption(new Option('--scenario <scenario>', 'what the caller tried').choices(SCENARIOS).default('other'))
    .option('--report-id <id>', 'the same id twice counts once')
    .option('--at <time>', 'when the call was, e.g. 2026-03-01T12:00:00Z (default: now)')
    .option('--call-id <id>', 'Call-ID of the reported call')
    .addOption(new Option('--kind <kind>', 'how the call came in').choices(INGRESS_KINDS))
    .option('--note <text>', 'a note for analysts')
    .addHelpText(
      'after',
      examples([
        ['zaslon report +79160000003 --reporter +79160000500 --scenario bank', 'as the hotline files it'],
        ['zaslon report +79160000003 --reporter bot-4711 --channel bot --json', 'as a program does'],
      ]),
    )
    .action(async (number: string, options: ReportOptions) => {
      const { output, client } = registry.context(command)
      const { kind, ...fields } = options
      const json = { number, ...fields, ...(kind ? { ingress: { kind } } : {}) }
      const body = await client.call('control', '/v1/reports', { method: 'POST', json })
      if (output.isJson) return output.json(body)
      const answer = fieldsOf(body)
      const reputation = answer.fields('reputation')
      const reportId = printable(answer.text('reportId'))
      output.line(
        answer.text('state') === 'queued'
          ? `Queued as report ${reportId}: it waits on the node's disk for Redis, and counts when that is back.`
          : `Recorded as report ${reportId}.`,
      )
      if (answer.flag('duplicate')) {
        output.line('It is known, or this person has reported the number within a day: it counts once.')
      }
      if (answer.has('reviewId')) output.line('The number is protected or allow-listed: it waits for a review.')
      if (!reputation.has('score')) return
      const people = counted(reputation.number('reporters'), 'person', 'people')
      output.line(`reputation: ${reputation.number('score')} of 100, reported by ${people} in the window`)
    })
}
