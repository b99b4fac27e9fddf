import { CommanderError } from 'commander'
import { ScreeningError } from '../domain/errors.ts'
import { CliFailure } from './cli-failure.ts'
import { type CliSurroundings, type GlobalOptions, outputOf } from './command-context.ts'
import { commandHint } from './command-hints.ts'
import { createProgram } from './create-program.ts'
import { EXIT } from './exit-codes.ts'
import { type Output, printable } from './output.ts'

/** Runs one command line (without `node` and the script) and resolves with its exit code. Never throws. */
export async function runCli(words: readonly string[], surroundings: CliSurroundings): Promise<number> {
  let exitCode: number = EXIT.ok
  const exitWith = (code: number) => {
    exitCode = code
  }
  const program = createProgram({ isJson: words.includes('--json') }, { surroundings, exitWith })
  try {
    await program.parseAsync([...words], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    return fail(toFailure(error), program.opts<GlobalOptions>(), words, surroundings)
  }
}

/** Operating errors of our own code (a policy file, the configuration) speak like those of the service. */
function toFailure(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error
  if (error instanceof ScreeningError) {
    const { hint, errors } = error.details
    const problem = { code: error.code, ...(hint ? { hint } : {}), ...(errors ? { errors } : {}) }
    return new CliFailure(EXIT.failed, error.message, problem, { cause: error })
  }
  const message = error instanceof Error ? error.message : String(error)
  return new CliFailure(EXIT.failed, message, { code: 'INTERNAL' }, { cause: error })
}

function fail(
  failure: CliFailure,
  options: GlobalOptions,
  words: readonly string[],
  surroundings: CliSurroundings,
): number {
  const { exitCode, message, problem } = failure
  if (options.json || words.includes('--json')) {
    surroundings.stderr.write(`${JSON.stringify(problem)}\n`)
    return exitCode
  }
  const isColoured = surroundings.stderr.isTTY === true
  const onErrors = outputOf(
    { ...options, ...(isColoured ? {} : { color: false }) },
    { ...surroundings, stdout: surroundings.stderr },
  )
  printFailure(onErrors, message, problem)
  return exitCode
}

/** One sentence, then what is wrong field by field, then what to do next. */
function printFailure(output: Output, message: string, problem: CliFailure['problem']): void {
  const { red, dim } = output.colours
  output.line(`${red('zaslon:')} ${printable(message)}`)
  for (const { pointer, detail } of problem.errors ?? []) {
    if (detail && message.includes(detail)) continue
    output.line(`  ${pointer ? `${dim(printable(pointer))} ` : ''}${printable(detail)}`)
  }
  const isFromService = problem.status !== undefined
  const hint = (isFromService ? commandHint(problem.code) : undefined) ?? problem.hint
  if (hint) output.line(`${dim('hint:')} ${printable(hint)}`)
}
