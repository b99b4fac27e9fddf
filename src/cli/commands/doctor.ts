import type { Command } from 'commander'
import { type CommandRegistry, examples } from '../create-program.ts'
import type { Finding } from '../doctor/finding.ts'
import { EXIT } from '../exit-codes.ts'
import { type Output, printable } from '../output.ts'

/** `zaslon doctor`: can a node run here, and is it well? */
export function addDoctorCommand(program: Command, registry: CommandRegistry): void {
  const command = program
    .command('doctor')
    .description('examine this machine, its data and the running service')
    .option('--config <file>', 'configuration (default: ZASLON_CONFIG, or zaslon.yaml here)')
    .addHelpText(
      'after',
      examples([
        ['zaslon doctor', 'exit code 1 when something must be mended'],
        ['zaslon doctor --json | jq \'.findings[] | select(.status != "ok")\'', 'what is not well'],
      ]),
    )
    .action(async (options: { config?: string }) => {
      const context = registry.context(command)
      // Loads LMDB and the verdict adapters, which no other client command needs.
      const { examine } = await import('../doctor/examine.ts')
      const findings = await examine(context, options.config)
      const isWell = findings.every((finding) => finding.status !== 'fail')
      if (context.output.isJson) context.output.json({ isWell, findings })
      else printFindings(context.output, findings)
      if (!isWell) registry.exitWith(EXIT.failed)
    })
}

function printFindings(output: Output, findings: readonly Finding[]): void {
  const { green, yellow, red, dim } = output.colours
  const marks = { ok: green('ok  '), note: dim('note'), warn: yellow('warn'), fail: red('FAIL') }
  const width = Math.max(...findings.map((finding) => finding.name.length))
  for (const { name, status, detail, hint } of findings) {
    output.line(`${marks[status]}  ${name.padEnd(width)}  ${printable(detail)}`)
    if (hint && status !== 'ok') output.line(`      ${' '.repeat(width)}  ${dim(printable(hint))}`)
  }
}
