/**
 * `npm run evaluate -- NAME [options]`: how good the decisions are, as bench/ says how fast. One file each in
 * bench/evaluate/: a new evaluation is a new file there, nothing is listed here.
 */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { nearestName } from '../src/domain/nearest-name.ts'
import { EvaluateUsageError } from './lib/evaluate-usage-error.ts'

/** What a file in bench/evaluate/ exports. */
type Evaluation = {
  /** One line for the list of evaluations. */
  readonly about: string
  /** Prints what it found, and returns the exit code; nothing means 0. Throws EvaluateUsageError and node:util parseArgs errors. */
  readonly run: (args: readonly string[]) => Promise<number | undefined>
}

const DIRECTORY = path.join(import.meta.dirname, 'evaluate')
const NAMES = readdirSync(DIRECTORY)
  .filter((file) => /\.(ts|js)$/.test(file))
  .map((file) => path.parse(file).name)
  .sort()

async function load(name: string): Promise<Evaluation> {
  const file = readdirSync(DIRECTORY).find((one) => /\.(ts|js)$/.test(one) && path.parse(one).name === name)
  return (await import(path.join(DIRECTORY, file ?? name))) as Evaluation
}

async function usage(): Promise<string> {
  const lines: string[] = []
  for (const name of NAMES) lines.push(`  npm run evaluate -- ${name.padEnd(12)} ${(await load(name)).about}`)
  return `Evaluations, each with --help:\n${lines.join('\n')}\n`
}

/** What the user wrote wrongly, as opposed to what went wrong. */
function isUsageError(error: unknown): error is Error {
  if (error instanceof EvaluateUsageError) return true
  return error instanceof Error && String(Reflect.get(error, 'code')).startsWith('ERR_PARSE_ARGS')
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help') {
    process.stdout.write(await usage())
    return name === undefined ? 2 : 0
  }
  if (!NAMES.includes(name)) {
    const near = nearestName(name, NAMES)
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`
    process.stderr.write(`There is no evaluation ${JSON.stringify(name)}.${hint}\n\n${await usage()}`)
    return 2
  }
  try {
    return (await (await load(name)).run(args)) ?? 0
  } catch (error) {
    if (!isUsageError(error)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

process.exitCode = await main(process.argv.slice(2))
