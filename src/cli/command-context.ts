import type { Command } from 'commander'
import { type ClientConfig, withoutSlash } from '../config/client-config.ts'
import { usageFailure } from './cli-failure.ts'
import { createOutput, type Output, type OutputStream } from './output.ts'
import { createServiceClient, type ServiceClient } from './service-client.ts'

/** What the command line is handed from outside: streams, configuration, clock. Tests hand in their own. */
export type CliSurroundings = {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean | undefined }
  readonly config: () => ClientConfig
  readonly now: () => number
  /** Resolves Ctrl-C to an aborted signal; asked for by the first command that talks to a service. */
  readonly interruption: () => AbortSignal
}

export type GlobalOptions = {
  readonly url?: string
  readonly verdictUrl?: string
  readonly key?: string
  readonly json?: boolean
  readonly color?: boolean
  readonly timeout?: string
}

/** What an action works with. */
export type CommandContext = {
  readonly output: Output
  readonly client: ServiceClient
  readonly surroundings: CliSurroundings
  readonly signal: AbortSignal
  /** Of what goes on without this command: as long as --timeout says, or as it takes. */
  readonly followMs: number | undefined
}

/** Long enough for a first explain on a cold store; an answer that takes longer is not coming. */
const DEFAULT_TIMEOUT_SECONDS = 30
const TIMEOUT_SECONDS_MAX = 3_600

export function createContext(command: Command, surroundings: CliSurroundings): CommandContext {
  const options: GlobalOptions = command.optsWithGlobals()
  const config = surroundings.config()
  const signal = surroundings.interruption()
  const client = createServiceClient(
    {
      adminUrl: withoutSlash(options.url ?? config.adminUrl),
      verdictUrl: withoutSlash(options.verdictUrl ?? config.verdictUrl),
      apiKey: options.key ?? config.apiKey,
      timeoutMs: parseTimeout(options.timeout) * 1000,
    },
    { signal },
  )
  const isGiven = command.getOptionValueSourceWithGlobals('timeout') === 'cli'
  const followMs = isGiven ? client.options.timeoutMs : undefined
  return { output: outputOf(options, surroundings), client, surroundings, signal, followMs }
}

/** Colours on a terminal, unless NO_COLOR, --no-color or --json says otherwise. */
export function outputOf(options: GlobalOptions, surroundings: CliSurroundings): Output {
  const isColoured = options.color !== false && !surroundings.config().noColor && surroundings.stdout.isTTY === true
  return createOutput({ isColoured, isJson: options.json === true }, surroundings)
}

function parseTimeout(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TIMEOUT_SECONDS
  const seconds = Number(text)
  if (seconds > 0 && seconds <= TIMEOUT_SECONDS_MAX) return seconds
  throw usageFailure(`--timeout must be between 0 and ${TIMEOUT_SECONDS_MAX} seconds, got "${text}".`)
}

/** A whole number from an option, within bounds. */
export function parseCount(name: string, text: string, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value
  throw usageFailure(`${name} must be a whole number between 1 and ${max}, got "${text}".`)
}
