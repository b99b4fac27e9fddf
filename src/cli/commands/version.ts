import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { outputOf } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { fieldsOf } from '../fields.ts'
import { packageFile } from '../package-file.ts'

export function addVersionCommand(program: Command, registry: CommandRegistry): void {
  program.version(packageVersion(), '-V, --version', 'print the version')
  const command = program
    .command('version')
    .description('print the version and what it runs on')
    .addHelpText('after', examples([['zaslon version --json', 'for programs']]))
    .action(() => {
      const output = outputOf(command.optsWithGlobals(), registry.surroundings)
      const facts = {
        zaslon: packageVersion(),
        node: process.versions.node,
        platform: `${process.platform}-${process.arch}`,
      }
      if (output.isJson) output.json(facts)
      else output.line(`zaslon ${facts.zaslon} (Node.js ${facts.node}, ${facts.platform})`)
    })
}

function packageVersion(): string {
  return fieldsOf(JSON.parse(readFileSync(packageFile('package.json'), 'utf8'))).text('version') ?? 'unknown'
}
