import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * A run of its own, in a process of its own: it makes a directory, starts a process with a child, stops both, and then does
 * what the test says.
 */
const library = path.resolve(import.meta.dirname, '../../../dist/bench/lib/run-bench.js')
const program = (last: string, minutesMax: number) => `
import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import os from 'node:os'
import { runBench } from ${JSON.stringify(library)}
const exitCode = await runBench(async (say) => {
  const directory = mkdtempSync(os.tmpdir() + '/some-')
  const child = spawn('sh', ['-c', 'sleep 100 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const grandchild = Number(await new Promise((resolve) => child.stdout.once('data', resolve)))
  for (const pid of [child.pid, grandchild]) process.kill(pid, 'SIGSTOP')
  say('the long part')
  console.log(JSON.stringify({ directory, pids: [child.pid, grandchild] }))
  ${last}
}, { minutesMax: ${minutesMax} })
process.exit(exitCode)
`
const FOREVER = 'await new Promise((resolve) => setTimeout(resolve, 100_000))'

type Ended = { readonly exitCode: number | null; readonly errors: string; readonly left: readonly (string | number)[] }

async function runIt(last: string, options: { minutesMax?: number; signal?: NodeJS.Signals } = {}): Promise<Ended> {
  const source = program(last, options.minutesMax ?? 1)
  const run = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  run.stderr.on('data', (chunk) => (errors += chunk))
  const ended = new Promise<number | null>((resolve) => run.once('exit', resolve))
  const said = await new Promise<Buffer>((resolve) => run.stdout.once('data', resolve))
  const { directory, pids } = JSON.parse(String(said)) as { directory: string; pids: number[] }
  expect(existsSync(directory)).toBe(true)
  // Twice, as from a terminal by way of npm.
  if (options.signal !== undefined) for (let i = 0; i < 2; i++) run.kill(options.signal)
  const exitCode = await ended
  const left = [...[directory, path.dirname(directory)].filter((one) => existsSync(one)), ...pids.filter(isLiving)]
  return { exitCode, errors, left }
}

/** One that has ended may not have been reaped by whoever it was left to. */
function isLiving(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('a bench', () => {
  it('leaves no process and no directory when it is over', async () => {
    expect(await runIt('')).toMatchObject({ exitCode: 0, left: [] })
  })

  it('leaves nothing when it fails, and says why', async () => {
    const { errors, ...rest } = await runIt(`throw new Error('no such luck')`)
    expect(rest).toEqual({ exitCode: 1, left: [] })
    expect(errors).toContain('no such luck')
  })

  it('leaves nothing when something fails that it does not wait for', async () => {
    const { errors, ...rest } = await runIt(`void Promise.reject(new Error('aside')); ${FOREVER}`)
    expect(rest).toEqual({ exitCode: 1, left: [] })
    expect(errors).toContain('aside')
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing after %s', async (signal) => {
    expect(await runIt(FOREVER, { signal })).toMatchObject({ exitCode: 130, left: [] })
  })

  it('ends at its limit, leaves nothing, and says where it was', async () => {
    const { errors, ...rest } = await runIt(FOREVER, { minutesMax: 0.01 })
    expect(rest).toEqual({ exitCode: 1, left: [] })
    expect(errors).toContain('not over after 0.01 min; it was at: the long part.')
  })
})
