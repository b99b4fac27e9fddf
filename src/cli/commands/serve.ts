import type { Command } from 'commander'
import { type CommandRegistry, examples } from '../create-program.ts'

type ServeOptions = { readonly config?: string; readonly samples?: boolean; readonly json?: boolean }

/** `zaslon serve`: a whole node in the foreground, until SIGINT or SIGTERM. */
export function addServeCommand(program: Command, registry: CommandRegistry): void {
  const command = program
    .command('serve')
    .description('run a node: one control process and the verdict processes')
    .option('--config <file>', 'configuration (default: ZASLON_CONFIG, or zaslon.yaml here)')
    .option('--samples', 'load the sample lists when the default data directory is empty')
    .addHelpText(
      'after',
      examples([
        ['zaslon serve', 'verdicts on 8090, control on 8080, this machine only'],
        ['ZASLON_DATA_DIR=/var/lib/zaslon zaslon serve --config /etc/zaslon.yaml', 'as a service'],
        ['ZASLON_VERDICT_PROCESSES=2 ZASLON_THREADS=4 zaslon serve', '8 verdict threads in 2 processes'],
      ]),
    )
    .action(async (options: ServeOptions) => {
      // Loaded here, so that `zaslon check` need not read half the service.
      const [{ loadConfig }, { environment }, { runSupervisor }] = await Promise.all([
        import('../../config/load-config.ts'),
        import('../../config/environment.ts'),
        import('../../processes/supervisor.ts'),
      ])
      const config = loadConfig(environment, options.config)
      const isJson = command.optsWithGlobals<ServeOptions>().json === true
      const isSample = options.samples === true && config.isDefaultDataDirectory && config.redis.url === ''
      const code = await runSupervisor({
        config,
        loadSamples: isSample,
        onReady: ({ control, verdict, adapter }) => {
          const ready = isJson
            ? JSON.stringify({ ready: true, control, verdict, adapter })
            : welcome({ control, verdict, adapter, isSample })
          registry.surroundings.stdout.write(`${ready}\n`)
        },
      })
      // With a code other than 0 it has not been stopped but could not go on, and the log has said why.
      if (code === 0 && !isJson) registry.surroundings.stdout.write('Zaslon has stopped.\n')
      registry.exitWith(code)
    })
}

type Ready = {
  readonly control: string
  readonly verdict: string
  readonly adapter: string
  readonly isSample: boolean
}

/** Where to find what, and with the sample lists three requests to try (README, test/e2e/start.test.ts). */
function welcome({ control, verdict, adapter, isSample }: Ready): string {
  const lines = [
    `Zaslon is ready: verdicts at ${verdict} (${adapter}), control plane at ${control}, its documentation at ${control}/docs`,
  ]
  if (isSample) {
    lines.push(
      '',
      '# a caller nobody knows: allow',
      post(`${verdict}/v1/verdict`, { callId: '1', caller: '+79070009999', callee: '+79161234567' }),
      '# a caller the fraud desk has listed: block, with the SIP reply',
      post(`${verdict}/v1/verdict`, { callId: '2', caller: '+79070000001', callee: '+79161234567' }),
      '# a subscriber reports a number',
      post(`${control}/v1/reports`, {
        number: '+79070009999',
        channel: 'hotline',
        scenario: 'bank',
        reporter: '+79161234567',
      }),
    )
  }
  return lines.join('\n')
}

function post(url: string, body: Readonly<Record<string, string>>): string {
  return `curl -s -H 'Content-Type: application/json' ${url} -d '${JSON.stringify(body)}'`
}
