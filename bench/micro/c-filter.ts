import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'

export type Stream = 'traffic' | 'present'
/** `maybes`: how many look-ups said so; `wrong`: how many of them on numbers that are no keys. */
export type Answers = { readonly ns: number; readonly maybes: number; readonly wrong: number }

export type CFilter = {
  readonly keysHash: number
  readonly fillNs: number
  /** One round of look-ups of all numbers of the stream. */
  ask(stream: Stream): Promise<Answers>
  close(): void
}

export type Compiled = { readonly program: string } | { readonly missing: string }

/** Compiles blocked-filter.c for this machine; says why not, and what to do, where there is no compiler. */
export function compileFilter(directory: string, compiler: string): Compiled {
  const source = path.join(PACKAGE_DIRECTORY, 'bench', 'micro', 'blocked-filter.c')
  const program = path.join(directory, 'blocked-filter')
  try {
    execFileSync(compiler, ['-O2', '-march=native', source, '-o', program, '-lm'], { stdio: 'pipe', encoding: 'utf8' })
    return { program }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if ('code' in error && error.code === 'ENOENT') {
      return { missing: `there is no C compiler (${compiler}): apt-get install gcc, and run it again` }
    }
    return { missing: `${compiler} failed, so fix what it says and run it again: ${error.message.slice(0, 300)}` }
  }
}

/** Starts it; it makes its keys and is ready when this resolves. */
export async function startFilter(
  program: string,
  { keyCount, probeCount, seed }: { readonly keyCount: number; readonly probeCount: number; readonly seed: number },
): Promise<CFilter> {
  const child = spawn(program, [keyCount, probeCount, seed].map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The filter in C ended with ${code}.`)
  })
  // Whoever waits for a line hears of it.
  ended.catch(() => {})
  const nextLine = async () => {
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string]
    return line.split(' ').map(Number)
  }
  const [keysHash = 0, fillNs = 0] = await nextLine()
  return {
    keysHash,
    fillNs,
    async ask(stream) {
      child.stdin.write(`${stream}\n`)
      const [ns = 0, maybes = 0, wrong = 0] = await nextLine()
      return { ns, maybes, wrong }
    },
    close: () => void child.kill('SIGKILL'),
  }
}
