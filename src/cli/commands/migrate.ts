import type { Command } from 'commander'
import { type CommandRegistry, examples } from '../create-program.ts'
import { createImportProgress } from '../import-progress.ts'

type MigrateOptions = { readonly config?: string; readonly offline?: boolean }

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
    .addHelpText('after', examples([['zaslon migrate to-redis', 'with ZASLON_REDIS_URL and ZASLON_DATA_DIR set']]))
    .action(async (options: MigrateOptions) => {
      const { output } = registry.context(command)
      const { migrateToRedis } = await import('../../processes/migrate-record.ts')
      const progress = createImportProgress(registry.surroundings.stderr, output.isJson)
      try {
        const place = await placeOf(options)
        const recordId = await migrateToRedis(place, progress.show)
        progress.stop()
        if (output.isJson) return output.json({ recordId })
        output.line(`The record is in Redis now. Start this node with ZASLON_REDIS_URL; others join with an empty`)
        output.line(`data directory and the same pseudonym key (ZASLON_PSEUDONYM_KEY_FILE).`)
      } finally {
        progress.stop()
      }
    })
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
    .action(async (options: MigrateOptions) => {
      const { output } = registry.context(command)
      const { migrateToEmbedded } = await import('../../processes/migrate-record.ts')
      const progress = createImportProgress(registry.surroundings.stderr, output.isJson)
      try {
        const place = await placeOf(options)
        await migrateToEmbedded({ ...place, isOffline: options.offline === true }, progress.show)
        progress.stop()
        if (output.isJson) return output.json({ embedded: true })
        output.line('The data directory is its own record now. Start this node without ZASLON_REDIS_URL.')
      } finally {
        progress.stop()
      }
    })
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
  return { config, directory, pseudonymKey: readPseudonymKey(directory, config.pseudonymKeyFile) }
}
