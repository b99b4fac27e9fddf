import { Command } from 'commander'
import { type CliSurroundings, type CommandContext, createContext } from './command-context.ts'
import { addCheckCommand } from './commands/check.ts'
import { addClockCommand } from './commands/clock.ts'
import { addDecisionsCommand } from './commands/decisions.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addExplainCommand } from './commands/explain.ts'
import { addListsCommand } from './commands/lists.ts'
import { addMigrateCommand } from './commands/migrate.ts'
import { addNumberingCommand } from './commands/numbering.ts'
import { addPolicyCommand } from './commands/policy.ts'
import { addRecordCommand } from './commands/record.ts'
import { addReportCommand } from './commands/report.ts'
import { addReviewsCommand } from './commands/reviews.ts'
import { addServeCommand } from './commands/serve.ts'
import { addVersionCommand } from './commands/version.ts'
import { EXIT_CODES_TEXT } from './exit-codes.ts'

/** What a command file needs to add its commands. */
export type CommandRegistry = {
  readonly surroundings: CliSurroundings
  /** Makes the exit code something other than 0 without an error message. */
  readonly exitWith: (code: number) => void
  readonly context: (command: Command) => CommandContext
}

export function createProgram(
  options: { readonly isJson: boolean },
  { surroundings, exitWith }: Pick<CommandRegistry, 'surroundings' | 'exitWith'>,
): Command {
  const program = new Command('zaslon')
    .description('Screens calls against fraud: allow, flag or block, before the phone rings.')
    .option('--url <url>', 'control plane (ZASLON_URL, or ZASLON_ADMIN_HOST and ZASLON_ADMIN_PORT)')
    .option('--verdict-url <url>', 'verdict plane (ZASLON_VERDICT_URL, or ZASLON_VERDICT_HOST and ZASLON_VERDICT_PORT)')
    .option('--key <key>', 'API key (ZASLON_API_KEY, which other users of the machine cannot see)')
    .option('--timeout <seconds>', 'longest wait for an answer; given, also for the end of an import', '30')
    .option('--json', 'print JSON, for programs')
    .option('--no-color', 'no colours (also NO_COLOR, and whenever output is no terminal)')
    .addHelpText(
      'after',
      examples([
        ['zaslon serve', 'start a node'],
        ['zaslon check +79160000002', 'would this caller get through?'],
        ['zaslon lists import scammers numbers.csv', 'load a list and put it in force'],
        ['zaslon report +79160000003 --scenario bank', 'file a report'],
        ['zaslon doctor', 'what is wrong with this machine?'],
        ['zaslon exit-codes', 'what the exit codes mean'],
      ]),
    )
  configure(program, options.isJson, surroundings)
  const registry: CommandRegistry = {
    surroundings,
    exitWith,
    context: (command) => createContext(command, surroundings),
  }
  addServeCommand(program, registry)
  addCheckCommand(program, registry)
  addExplainCommand(program, registry)
  addReportCommand(program, registry)
  addListsCommand(program, registry)
  addNumberingCommand(program, registry)
  addPolicyCommand(program, registry)
  addDecisionsCommand(program, registry)
  addReviewsCommand(program, registry)
  addRecordCommand(program, registry)
  addClockCommand(program, registry)
  addMigrateCommand(program, registry)
  addDoctorCommand(program, registry)
  addVersionCommand(program, registry)
  program
    .command('exit-codes')
    .description('what the exit codes mean')
    .addHelpText('after', examples([['zaslon exit-codes', 'for scripts']]))
    .action(() => void surroundings.stdout.write(EXIT_CODES_TEXT))
  return program
}

/** Must come before the subcommands: they copy these settings. Nothing calls process.exit: runCli returns the code. */
function configure(program: Command, isJson: boolean, surroundings: CliSurroundings): void {
  const hasColours = (stream: { readonly isTTY?: boolean | undefined }) =>
    stream.isTTY === true && !surroundings.config().noColor
  program
    .exitOverride((error) => {
      throw error
    })
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void surroundings.stdout.write(text),
      writeErr: (text) => void surroundings.stderr.write(text),
      outputError: (text, write) => {
        const sentence = text.replace(/^error: /, '').trimEnd()
        write(isJson ? `${JSON.stringify({ code: 'USAGE', detail: sentence })}\n` : `zaslon: ${sentence}\n`)
      },
      getOutHasColors: () => hasColours(surroundings.stdout),
      getErrHasColors: () => hasColours(surroundings.stderr),
    })
    .showHelpAfterError(isJson ? false : 'hint: add --help to see what is possible')
    .helpCommand('help [command]', 'help for a command')
}

/** The examples at the end of a --help page. */
export function examples(lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  return `\nExamples:\n${lines.map(([command, what]) => `  $ ${command.padEnd(width)}   # ${what}`).join('\n')}\n`
}
