import { type Command, Option } from 'commander'
import { INGRESS_KINDS } from '../../domain/call-event.ts'
import { CHANNELS, OPINIONS, SCENARIOS } from '../../domain/report.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { fieldsOf } from '../fields.ts'
import { counted, printable } from '../output.ts'

type ReportOptions = {
  readonly channel: string
  readonly scenario: string
  readonly reporter: string
  readonly opinion?: string
  readonly household?: string
  readonly reportId?: string
  readonly at?: string
  readonly callId?: string
  readonly kind?: string
  readonly note?: string
}

const NOT_COUNTED_TEXT: Readonly<Record<string, string>> = {
  'long-ago': 'the call was more than 30 days ago',
  'reporter-daily-limit': 'this person has reported as many numbers as count in a day',
  'opinion-known': 'this person has said so before',
  'number-daily-limit': 'the number has had all the good evidence that counts in a day',
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
    .addOption(new Option('--opinion <opinion>', 'not-spam: the number is all right (default: harm)').choices(OPINIONS))
    .option('--household <id>', 'an opaque id: one household counts as one reporter')
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
      const why = answer.text('notCounted') ?? ''
      if (why !== '') output.line(`It does not count: ${NOT_COUNTED_TEXT[why] ?? printable(why)}.`)
      if (answer.has('reviewId')) output.line('A person looks at the number: it waits for a review.')
      if (!reputation.has('score')) return
      const people = counted(reputation.number('reporters'), 'person', 'people')
      output.line(`reputation: ${reputation.number('score')} of 100, reported by ${people} in the window`)
    })
}
