import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const SCRIPT = resolve('dist/test/integration/fixtures/store-child.js')

export type StoreChild = {
  readonly process: ChildProcess
  /** Everything the child has told so far. */
  readonly told: unknown[]
  /** Resolves with the next message. */
  next(): Promise<unknown>
  /** Resolves when so many messages have been told. */
  untilTold(count: number): Promise<void>
  kill(): Promise<void>
}

/** Starts test/integration/fixtures/store-child.ts, as built: run `npx tsc` first. */
export function startStoreChild(what: string, directory: string): StoreChild {
  if (!existsSync(SCRIPT)) throw new Error('dist/ is missing: build first (npm run build).')
  const child = fork(SCRIPT, [what, directory], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const told: unknown[] = []
  child.on('message', (message) => told.push(message))
  // Not "exit": what it had sent before is delivered first.
  const closed = new Promise<void>((resolveClosed) => child.once('close', () => resolveClosed()))
  const next = () =>
    new Promise((resolveNext, reject) => {
      const ended = (code: number | null) => reject(new Error(`The child ended with ${code}.`))
      child.once('exit', ended)
      child.once('message', (message) => {
        child.off('exit', ended)
        resolveNext(message)
      })
    })
  return {
    process: child,
    told,
    next,
    async untilTold(count) {
      while (told.length < count) await next()
    },
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
