import type { Command } from 'commander'
import type { Replacement } from '../../processes/migrate-record.ts'
import type { TakenFacts } from '../../stores/lmdb/take-outbox.ts'
import { CliFailure } from '../cli-failure.ts'
import type { CommandContext } from '../command-context.ts'
import { confirm } from '../confirm.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { EXIT } from '../exit-codes.ts'
import { createImportProgress } from '../import-progress.ts'
import { printable } from '../output.ts'

type MigrateOptions = {
  readonly config?: string
  readonly offline?: boolean
  readonly replaceRecord?: boolean
  readonly yes?: boolean
}

/** `zaslon migrate …`: moves the record of a node that is stopped into Redis, and back. */
export function addMigrateCommand(program: Command, registry: CommandRegistry): void {
  const migrate = program
    .command('migrate')
    .description('move the record of a stopped node into Redis, or out of it')
    .addHelpText(
      'after',
      examples([
        ['ZASLON_REDIS_URL=redis://10.0.0.5 zaslon migrate to-redis', 'one node becomes the first of many'],
        ['ZASLON_REDIS_URL=redis://10.0.0.5 zaslon migrate to-embedded', 'and is its own record again'],
      ]),
    )
  addToRedis(migrate, registry)
  addToEmbedded(migrate, registry)
}

function addToRedis(migrate: Command, registry: CommandRegistry): void {
  const command = migrate
    .command('to-redis')
    .description('begin a record in an empty Redis with everything in the data directory')
    .option('--config <file>', 'configuration (default: ZASLON_CONFIG, or zaslon.yaml here)')
    .option('--replace-record', 'of a node that is joined already: remove another record that is in Redis first')
    .option('--yes', 'with --replace-record: do not ask')
    .addHelpText(
      'after',
      examples([
        ['zaslon migrate to-redis', 'with ZASLON_REDIS_URL and ZASLON_DATA_DIR set'],
        [
          'zaslon migrate to-redis --replace-record',
          'Redis was emptied, a new node began a record there, all others are stopped',
        ],
      ]),
    )
    .action((options: MigrateOptions) =>
      migrating(
        registry,
        options,
        async (place, show) => {
          const context = registry.context(command)
          const { output } = context
          const { migrateToRedis, replaceRecord } = await import('../../processes/migrate-record.ts')
          const recordId =
            options.replaceRecord === true
              ? await replaceRecord(place, show, (what) => confirmReplacement(context, options, what))
              : await migrateToRedis(place, show)
          return () => {
            if (output.isJson) return output.json({ recordId })
            output.line('The record is in Redis now. Start this node with ZASLON_REDIS_URL; others join with an empty')
            output.line('data directory and the same pseudonym key (ZASLON_PSEUDONYM_KEY_FILE).')
          }
        },
        registry.context(command).output.isJson,
      ),
    )
}

function addToEmbedded(migrate: Command, registry: CommandRegistry): void {
  const command = migrate
    .command('to-embedded')
    .description('take in what Redis has and make the data directory a record of its own')
    .option('--config <file>', 'configuration (default: ZASLON_CONFIG, or zaslon.yaml here)')
    .option('--offline', 'do not ask Redis: what the directory has is the record')
    .addHelpText(
      'after',
      examples([
        ['zaslon migrate to-embedded', 'with ZASLON_REDIS_URL and ZASLON_DATA_DIR set'],
        ['zaslon migrate to-embedded --offline', 'Redis is gone for good'],
      ]),
    )
    .action((options: MigrateOptions) =>
      migrating(
        registry,
        options,
        async (place, show) => {
          const { output } = registry.context(command)
          const { migrateToEmbedded } = await import('../../processes/leave-record.ts')
          const facts = await migrateToEmbedded({ ...place, isOffline: options.offline === true }, show)
          return () => {
            if (output.isJson) return output.json({ embedded: true, ...facts })
            sayFacts(output, facts)
            output.line(
              'The data directory is its own record now, and holds its pseudonym key. Start this node without',
            )
            output.line('ZASLON_REDIS_URL and ZASLON_PSEUDONYM_KEY_FILE.')
          }
        },
        registry.context(command).output.isJson,
      ),
    )
}

/** What waited for Redis and is part of the record now. */
function sayFacts({ line, note }: CommandContext['output'], { taken, refused }: TakenFacts): void {
  if (taken > 0) line(`Taken in from the outbox: ${taken} ${taken === 1 ? 'change' : 'changes'} that Redis never had.`)
  if (refused > 0) note(`Dropped, because they do not fit: ${refused}; the audit log (record.drop) names them.`)
}

async function confirmReplacement(
  context: CommandContext,
  { yes }: MigrateOptions,
  { redis, found, newestMs }: Replacement,
): Promise<void> {
  const { output } = context
  if (!output.isJson) {
    const newest = newestMs === undefined ? 'not known' : new Date(newestMs).toISOString()
    output.note(
      `${printable(redis)} holds the record ${printable(found.slice(0, 8))}…, which is not that of this node.`,
    )
    output.note(
      'It will be removed with everything written to it. Its nodes need new data directories, or to be stopped.',
    )
    output.note(`The record of this node takes its place. Newest change on this node: ${newest}.`)
    output.note('Is that of another node newer, say it there instead.')
  }
  if (yes !== true) await confirm(context, 'replace')
}

type Place = Awaited<ReturnType<typeof placeOf>>

/** Shows progress while `work` moves the record, and then what it says. */
async function migrating(
  registry: CommandRegistry,
  options: MigrateOptions,
  work: (place: Place, show: (step: string, share: number) => void) => Promise<() => void>,
  isQuiet: boolean,
): Promise<void> {
  const progress = createImportProgress(registry.surroundings.stderr, isQuiet)
  let say: () => void
  try {
    say = await work(await placeOf(options), progress.show)
  } finally {
    progress.stop()
  }
  say()
}

/** The node as its configuration has it. Throws CONFIG_INVALID. */
async function placeOf(options: MigrateOptions) {
  const [{ loadConfig }, { environment }, { openDataDirectory, readPseudonymKey }] = await Promise.all([
    import('../../config/load-config.ts'),
    import('../../config/environment.ts'),
    import('../../stores/data-directory.ts'),
  ])
  const config = loadConfig(environment, options.config)
  const directory = openDataDirectory(config.dataDirectory)
  if (config.redis.url === '' && options.offline !== true) {
    throw new CliFailure(EXIT.usage, 'ZASLON_REDIS_URL is not set.', {
      hint: 'Name the Redis in it: ZASLON_REDIS_URL=redis://10.0.0.5 zaslon migrate …',
    })
  }
  // None is made here: reporters would count again under another one.
  const pseudonymKey = readPseudonymKey(directory, config.pseudonymKeyFile, { mayMake: false })
  return { config, directory, pseudonymKey }
}
