import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { createProgram } from '../../../src/cli/create-program.ts'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { zaslon } from './fake-service.ts'

function pathsOf(command: Command, path: readonly string[] = []): string[][] {
  const inner = command.commands.filter((child) => child.name() !== 'help')
  return [[...path], ...inner.flatMap((child) => pathsOf(child, [...path, child.name()]))]
}

const surroundings = {
  stdout: { write: () => {} },
  stderr: { write: () => {} },
  stdin: (async function* () {})(),
  config: () => ({ adminUrl: '', verdictUrl: '', noColor: true }),
  now: () => 0,
  interruption: () => new AbortController().signal,
}
const program = createProgram({ isJson: false }, { surroundings, exitWith: () => {} })

describe('zaslon --help', () => {
  it.each(pathsOf(program))('has examples for: zaslon %s %s', async (...words: string[]) => {
    const { code, out } = await zaslon([...words, '--help'])
    expect(code).toBe(0)
    expect(out).toContain(`Usage: ${['zaslon', ...words].join(' ')}`)
    expect(out).toContain('Examples:\n  $ ')
  })

  it('documents every exit code', async () => {
    const { out } = await zaslon(['exit-codes'])
    for (const code of Object.values(EXIT)) expect(out).toMatch(new RegExp(`^ {2}${code} `, 'm'))
  })

  it('prints the version of the package', async () => {
    const { out } = await zaslon(['version', '--json'])
    expect(JSON.parse(out)).toMatchObject({
      zaslon: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.versions.node,
    })
    expect((await zaslon(['--version'])).out.trim()).toBe(JSON.parse(out).zaslon)
  })
})
