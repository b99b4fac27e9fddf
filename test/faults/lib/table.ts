import pc from 'picocolors'
import type { CaseResult, Figure } from './fault-case.ts'

/** Results as a person reads them: one block a case, figures in the order they were seen, failures in full. */
export function formatResult({ id, what, expected, outcome, why, figures, failures, seconds }: CaseResult): string {
  const mark = { passed: pc.green('pass'), failed: pc.red('FAIL'), skipped: pc.yellow('skip') }[outcome]
  const lines = [`${mark}  ${pc.bold(id.padEnd(4))} ${what}${outcome === 'skipped' ? '' : pc.dim(`  ${seconds} s`)}`]
  lines.push(...wrap(expected, 'expected: '))
  if (why !== undefined) lines.push(...wrap(why, 'skipped: '))
  const told = Object.entries(figures).map(([name, value]) => `${name} ${formatFigure(value)}`)
  if (told.length > 0) lines.push(...wrap(told.join(' · '), 'observed: '))
  for (const failure of failures) {
    lines.push(pc.red(`${INDENT}expected that ${failure.expected}`))
    if (failure.got !== '') lines.push(`${INDENT}got ${failure.got.slice(0, GOT_CHARS_MAX)}`)
  }
  return lines.join('\n')
}

export function formatTotals(results: readonly CaseResult[]): string {
  const count = (outcome: CaseResult['outcome']) => results.filter((result) => result.outcome === outcome).length
  const seconds = Math.round(results.reduce((sum, result) => sum + result.seconds, 0))
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped in ${seconds} s`
}

const INDENT = '           '
const WIDTH = 120
const GOT_CHARS_MAX = 2_000

function formatFigure(value: Figure): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : value
}

function wrap(text: string, head: string): string[] {
  const lines: string[] = []
  let line = INDENT + head
  for (const word of text.split(/ (?!·)/)) {
    if (line.length + word.length > WIDTH) {
      lines.push(line.trimEnd())
      line = INDENT
    }
    line += `${word} `
  }
  return [...lines, line.trimEnd()].map((one) => pc.dim(one))
}
