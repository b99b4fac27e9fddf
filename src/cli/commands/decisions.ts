import { type Command, Option } from 'commander'
import { VERDICTS } from '../../domain/verdict.ts'
import { usageFailure } from '../cli-failure.ts'
import { parseCount } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { type Fields, itemsOf } from '../fields.ts'
import { printable, shortTime } from '../output.ts'

type DecisionsOptions = {
  readonly caller?: string
  readonly verdict?: string
  readonly id?: string
  readonly since?: string
  readonly until?: string
  readonly limit: string
}

const LIMIT_MAX = 1_000

/** `zaslon decisions`: search the decision log. */
export function addDecisionsCommand(program: Command, registry: CommandRegistry): void {
  const command = program
    .command('decisions')
    .description('search the decision log, newest first')
    .option('--caller <number>', 'decisions about this caller')
    .addOption(new Option('--verdict <verdict>', 'only these').choices(VERDICTS))
    .option('--id <verdictId>', 'the one with this verdict id')
    .option('--since <time>', 'from this time on: 2026-03-01T12:00:00Z, or 30m, 12h, 7d ago', '24h')
    .option('--until <time>', 'up to this time')
    .option('--limit <count>', `at most so many (1-${LIMIT_MAX})`, '50')
    .addHelpText(
      'after',
      examples([
        ['zaslon decisions --verdict block --since 1h', 'what was blocked in the last hour'],
        ['zaslon decisions --caller +79160000002', 'what happened to one caller'],
        ['zaslon decisions --limit 1000 --json > decisions.json', 'for programs'],
      ]),
    )
    .action(async (options: DecisionsOptions) => {
      const { output, client, surroundings } = registry.context(command)
      const query = {
        caller: options.caller,
        decision: options.verdict,
        verdictId: options.id,
        from: parseSince(options.since, surroundings.now()),
        to: parseSince(options.until, surroundings.now()),
        limit: parseCount('--limit', options.limit, LIMIT_MAX),
      }
      const body = await client.call('control', '/v1/decisions', { query })
      if (output.isJson) return output.json(body)
      output.table(
        ['time (UTC)', 'verdict', 'score', 'caller', 'trunk', 'reasons'],
        itemsOf(body, 'decisions').map(toRow),
      )
    })
}

function toRow(decision: Fields): string[] {
  return [
    shortTime(decision.text('at')),
    printable(decision.text('decision')),
    String(decision.number('score') ?? ''),
    printable(decision.text('caller')),
    printable(decision.text('trunk')),
    decision
      .items('reasons')
      .map((reason) =>
        printable(reason.has('list') ? `${reason.text('code')}:${reason.text('list')}` : reason.text('code')),
      )
      .join(', '),
  ]
}

const AGO = /^(\d{1,6})([smhd])$/
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `12h` as a moment, RFC 3339; a moment as it is written; undefined stays. */
export function parseSince(text: string | undefined, nowMs: number): string | undefined {
  if (text === undefined) return undefined
  const ago = AGO.exec(text)
  const unitMs = UNIT_MS[ago?.[2] ?? '']
  if (ago && unitMs !== undefined) return new Date(nowMs - Number(ago[1]) * unitMs).toISOString()
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString()
  throw usageFailure(`"${printable(text)}" is no time.`, 'Write 2026-03-01T12:00:00Z, or how long ago: 30m, 12h, 7d.')
}
