import { setTimeout as sleep } from 'node:timers/promises'
import { CliFailure, interruptedFailure, type Problem } from './cli-failure.ts'
import type { CommandContext } from './command-context.ts'
import { EXIT } from './exit-codes.ts'
import { type Fields, fieldsOf } from './fields.ts'
import type { ImportProgress } from './import-progress.ts'
import { counted, type Output, printable, thousands } from './output.ts'

/** Quick for a list of a few rows, gentle while millions are parsed. */
const POLL_FIRST_MS = 20
const POLL_MAX_MS = 300

const FINAL_STATES: readonly string[] = ['previewed', 'held', 'active', 'failed', 'cancelled']

/**
 * Polls an import until nothing more happens by itself, and returns the last answer. Throws CliFailure `unfinished` when that
 * takes longer than `followMs`.
 */
export async function followImport(
  { client, signal, followMs = Number.POSITIVE_INFINITY }: Pick<CommandContext, 'client' | 'signal' | 'followMs'>,
  importId: string,
  progress: ImportProgress,
): Promise<Fields> {
  const giveUpMs = performance.now() + followMs
  let waitMs = POLL_FIRST_MS
  let isShown = false
  try {
    for (;;) {
      const record = fieldsOf(await client.call('control', `/v1/imports/${encodeURIComponent(importId)}`))
      const state = record.text('state') ?? ''
      if (FINAL_STATES.includes(state)) {
        // A log that ends at "parsing 0%" looks as if it had stopped there.
        if (isShown && state !== 'failed' && state !== 'cancelled') progress.show(state, 1)
        return record
      }
      progress.show(state, record.number('progress') ?? 0)
      isShown = true
      if (performance.now() >= giveUpMs) throw unfinished(importId, record, followMs)
      waitMs = Math.min(waitMs, Math.max(0, giveUpMs - performance.now()))
      await sleep(waitMs, undefined, { signal })
      waitMs = Math.min(POLL_MAX_MS, waitMs * 1.5)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    throw interruptedFailure(`The import goes on: "zaslon lists status ${importId} --wait" follows it.`)
  }
}

function unfinished(importId: string, record: Fields, followMs: number): CliFailure {
  const problem = record.fields('problem')
  const why = problem.has('detail') ? ` ${problem.text('detail')}` : ''
  const message = `Not over after ${followMs / 1_000} s, it goes on by itself: import ${importId}.${why}`
  const hint = `"zaslon lists status ${importId} --wait" follows it.`
  return new CliFailure(EXIT.unfinished, message, { code: 'TIMEOUT', hint })
}

/** The exit code an import's end stands for. Throws when it failed. */
export function exitCodeOfImport(record: Fields): number {
  const state = record.text('state')
  if (state === 'held') return EXIT.held
  if (state !== 'failed' && state !== 'cancelled') return EXIT.ok
  const problem = record.fields('problem')
  const detail = problem.text('detail') ?? `The import ${state === 'failed' ? 'failed' : 'was cancelled'}.`
  const code = problem.text('code')
  throw new CliFailure(EXIT.failed, detail, { ...(problem.value as Problem | undefined), ...(code ? { code } : {}) })
}

/** Rows shown of those that were refused; the rest is in rejected.csv. */
const REJECTED_SHOWN = 10

export function printImport(output: Output, record: Fields): void {
  const counts = record.fields('counts')
  const state = record.text('state') ?? ''
  const { bold, dim } = output.colours
  output.line(
    `${bold(printable(record.text('list')))}  import ${printable(record.text('importId'))} is ${bold(printable(state))}`,
  )
  const row = (name: string, text = '') =>
    output.line(`  ${name.padEnd(10)} ${thousands(counts.number(name)).padStart(11)}${text}`)
  row('rows')
  row(
    'accepted',
    counts.number('duplicates') ? dim(`  (${thousands(counts.number('duplicates'))} of them said twice)`) : '',
  )
  row('rejected')
  row('added')
  row('removed')
  row('unchanged', counts.number('updated') ? dim(`  (${thousands(counts.number('updated'))} with other details)`) : '')
  const impact = record.fields('impact')
  // No traffic is measured for what is taken away: calls that stop being blocked are no harm.
  if (record.text('mode') !== 'remove') printImpact(output, impact)
  printClashes(output, impact.fields('clashes'))
  printRejected(output, record, counts.number('rejected') ?? 0)
  const problem = record.fields('problem')
  // A preview is held by nobody: it knows why the real import would be.
  const held = state === 'previewed' ? 'would be held' : 'held'
  if (problem.has('detail') && (state === 'held' || state === 'previewed')) {
    output.line(`  ${held}: ${printable(problem.text('detail'))}`)
  }
  if (state === 'previewed' || state === 'held') {
    output.note(
      `Nothing has changed yet. "zaslon lists activate ${printable(record.text('importId'))}" puts it in force.`,
    )
  }
}

function printImpact(output: Output, impact: Fields): void {
  if (!impact.has('calls')) return
  const hours = impact.number('hours') ?? 0
  if (hours === 0) output.line('  impact     unknown: no traffic was recorded yet')
  else {
    const least = impact.flag('complete') === false ? 'at least ' : ''
    const total = impact.number('totalCalls') ?? 0
    const hit = impact.number('calls')
    const calls = total > 0 ? `${thousands(hit)} of ${counted(total, 'call')}` : counted(hit, 'call')
    output.line(`  impact     ${least}${calls}, ${counted(impact.number('callers'), 'caller')}, in the last ${hours} h`)
  }
}

function printClashes(output: Output, clashes: Fields): void {
  if (!clashes.number('count')) return
  const are = clashes.number('count') === 1 ? 'is' : 'are'
  output.line(`  clashes    ${counted(clashes.number('count'), 'number')} ${are} also on allow or protected lists:`)
  for (const clash of clashes.items('sample')) {
    output.line(
      `             ${printable(clash.text('number'))} on ${printable(clash.text('list'))} (${printable(clash.text('kind'))})`,
    )
  }
}

function printRejected(output: Output, record: Fields, total: number): void {
  const rejected = record.items('rejected').slice(0, REJECTED_SHOWN)
  for (const row of rejected) {
    output.line(
      `    line ${row.number('line') ?? '?'}: ${printable(row.text('reason'))}: ${printable(row.text('text'))}`,
    )
  }
  if (total > rejected.length && rejected.length > 0) {
    output.note(
      `All ${thousands(total)} refused rows: zaslon lists rejected ${printable(record.text('importId'))} > rejected.csv`,
    )
  }
}
