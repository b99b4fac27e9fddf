/**
 * `npm run COMMAND -- NAME [options]`, one file for each name in a directory: a new one is a new file there, nothing is
 * listed anywhere else.
 */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { endOnClosedPipe } from '../../src/cli/closed-pipe.ts'
import { nearestName } from '../../src/domain/nearest-name.ts'
import { EvaluateUsageError } from './evaluate-usage-error.ts'

/** What a file of the directory exports. */
type Named = {
  /** One line for the list. */
  readonly about: string
  /** Prints what it found, and returns the exit code; nothing means 0. Throws EvaluateUsageError and node:util parseArgs errors. */
  readonly run: (args: readonly string[]) => Promise<number | undefined>
}

export type NamedOptions = {
  /** As in `npm run COMMAND`. */
  readonly command: string
  /** What one is, and what several are. */
  readonly one: string
  readonly many: string
  readonly directory: string
}

/** Runs the one that is named first in `argv` and returns the exit code: 2 for what the user wrote wrongly. */
export async function runNamed(options: NamedOptions, [name, ...args]: readonly string[]): Promise<number> {
  endOnClosedPipe()
  const { one, directory } = options
  if (name === undefined || name === '--help') {
    process.stdout.write(await usage(options))
    return name === undefined ? 2 : 0
  }
  const names = namesIn(directory)
  if (!names.includes(name)) {
    const near = nearestName(name, names)
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`
    process.stderr.write(`There is no ${one} ${JSON.stringify(name)}.${hint}\n\n${await usage(options)}`)
    return 2
  }
  try {
    return (await (await load(directory, name)).run(args)) ?? 0
  } catch (error) {
    if (!isUsageError(error)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

function filesIn(directory: string): string[] {
  return readdirSync(directory).filter((file) => /\.(ts|js)$/.test(file))
}

function namesIn(directory: string): string[] {
  return filesIn(directory)
    .map((file) => path.parse(file).name)
    .sort()
}

async function load(directory: string, name: string): Promise<Named> {
  const file = filesIn(directory).find((candidate) => path.parse(candidate).name === name)
  return (await import(path.join(directory, file ?? name))) as Named
}

async function usage({ command, many, directory }: NamedOptions): Promise<string> {
  const lines: string[] = []
  for (const name of namesIn(directory)) {
    lines.push(`  npm run ${command} -- ${name.padEnd(12)} ${(await load(directory, name)).about}`)
  }
  return `${many}, each with --help:\n${lines.join('\n')}\n`
}

/** What the user wrote wrongly, as opposed to what went wrong. */
function isUsageError(error: unknown): error is Error {
  if (error instanceof EvaluateUsageError) return true
  return error instanceof Error && String(Reflect.get(error, 'code')).startsWith('ERR_PARSE_ARGS')
}
