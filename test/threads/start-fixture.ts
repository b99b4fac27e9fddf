import path from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * Starts a fixture of test/threads/fixtures as a worker thread. Threads run what `npx tsc` built into dist/, because a
 * worker cannot load TypeScript.
 */
export function startFixture(name: string, workerData: unknown): Worker {
  const root = path.resolve(import.meta.dirname, '../..')
  return new Worker(path.join(root, 'dist/test/threads/fixtures', `${name}.js`), { workerData })
}

/** The next message of a thread that has the field; rejects when the thread fails. */
export function messageWith<Field extends string>(worker: Worker, field: Field): Promise<Record<Field, unknown>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: Record<Field, unknown>) => {
      if (!(field in message)) return
      worker.off('message', onMessage)
      worker.off('error', reject)
      resolve(message)
    }
    worker.on('message', onMessage)
    worker.once('error', reject)
  })
}
