import { type DestinationStream, type Logger, pino } from 'pino'

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/**
 * The logger of one process: JSON lines on standard output. Levels: error = someone must act now, warn = look this week,
 * info = life events, debug = off in production.
 *
 * No phone number reaches a log line. Callers log route patterns and codes, never values; this is the net below them:
 * any run of digits long enough to be a telephone number is blotted out in messages, error texts and string fields,
 * because texts of libraries quote what they choked on.
 */
export function createLogger(
  options: { readonly level: LogLevel; readonly process: string },
  destination?: DestinationStream,
): Logger {
  return pino(
    {
      level: options.level,
      base: { process: options.process, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['authorization', '*.authorization', 'key', '*.key'], censor: '[removed]' },
      serializers: { err: describeError },
      formatters: { level: (label) => ({ level: label }), log: blotFields },
      hooks: {
        logMethod(input, method) {
          const blotted = input.map((part: unknown) => (typeof part === 'string' ? blotNumbers(part) : part))
          method.apply(this, blotted as Parameters<typeof method>)
        },
      },
    },
    destination ?? pino.destination(1),
  )
}

/** A plus sign or not, then 7 to 15 digits, with the separators people write between them. */
const NUMBER_LIKE = /\+?\d(?:[\s().-]{0,2}\d){6,14}/g

/**
 * A record or a fact (stores/redis/keys.ts), which names the key that an operator has to look at: 32 hexadecimal digits that
 * stand alone. One in two thousand has fewer than four letters and is blotted; digits alone are never an id.
 */
const ID = /(?<![0-9A-Za-z])((?=(?:[0-9]*[a-f]){4})[0-9a-f]{32})(?![0-9A-Za-z])/

/** Blots out what could be a telephone number: times and byte counts of seven digits and more go with it. Ids stay whole. */
export function blotNumbers(text: string): string {
  const isId = (index: number) => index % 2 === 1
  return text
    .split(ID)
    .map((part, index) => (isId(index) ? part : part.replace(NUMBER_LIKE, '[number]')))
    .join('')
}

function blotFields(fields: Record<string, unknown>): Record<string, unknown> {
  const blotted: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'err') blotted[name] = value instanceof Error ? describeError(value) : value
    else blotted[name] = typeof value === 'string' && name !== 'requestId' ? blotNumbers(value) : value
  }
  return blotted
}

/** What of an error is logged: never its details, which may hold what the client sent. The chain of causes is kept. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    type: error.name,
    message: blotNumbers(error.message),
    ...(code === undefined ? {} : { code }),
    stack: blotNumbers(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}
