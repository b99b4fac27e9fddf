import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

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

export const FILTER_SOURCE = 'bench/micro/blocked-filter.c'

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
