import { describe, expect, it } from 'vitest'
import { CommitQueue } from '../../../src/stores/lmdb/commit-queue.ts'
import { type Environment, openEnvironment } from '../../../src/stores/lmdb/environment.ts'
import { LIVE_SPACE, makeKey } from '../../../src/stores/lmdb/keys.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'

const KEPT = { changesKept: 100, auditKept: 100 }
const KEY = makeKey(LIVE_SPACE.meta, { text: 'word' })

function openQueue(options: { commitTimeoutMs?: number } = {}): { queue: CommitQueue; environment: Environment } {
  const environment = openEnvironment({ path: `${temporaryDirectory()}/live.mdb`, readOnly: false })
  return { environment, queue: new CommitQueue({ ...KEPT, ...options }, { environment, now: () => 1 }) }
}

describe('the commit queue', () => {
  it('shows an operation what the ones before it wrote, in the same transaction', async () => {
    const { queue, environment } = openQueue()
    const append = (letter: string) =>
      queue.run((writes) => {
        const word = (environment.bytes(KEY)?.toString() ?? '') + letter
        writes.put(KEY, Buffer.from(word))
        return word
      })
    expect(await Promise.all(['a', 'b', 'c'].map(append))).toEqual(['a', 'ab', 'abc'])
    await queue.close()
    await environment.close()
  })

  it('writes nothing of an operation that throws, and everything of its neighbours', async () => {
    const { queue, environment } = openQueue()
    const results = await Promise.allSettled([
      queue.run((writes) => writes.change({ kind: 'policy', version: 1 })),
      queue.run((writes) => {
        writes.put(KEY, Buffer.from('half'))
        writes.change({ kind: 'policy', version: 2 })
        throw new Error('refused')
      }),
      queue.run((writes) => writes.change({ kind: 'policy', version: 3 })),
    ])
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value : 'refused'))).toEqual([
      1,
      'refused',
      2,
    ])
    expect(environment.bytes(KEY)).toBeUndefined()
    expect(queue.lastSequence).toBe(2)
    await queue.close()
    await environment.close()
  })

  it('does all of a whole series or nothing of it, and leaves its neighbours alone', async () => {
    const { queue, environment } = openQueue()
    const put = (text: string) => queue.run((writes) => writes.put(KEY, Buffer.from(text)))
    const refused = new Error('not like this')
    const results = await Promise.allSettled([
      put('before'),
      queue.runSeries(
        (step) => {
          step((writes) => writes.put(KEY, Buffer.from('half')))
          step((writes) => writes.change({ kind: 'policy', version: 1 }))
          throw refused
        },
        { isWhole: true },
      ),
      queue.run((writes) => writes.change({ kind: 'policy', version: 2 })),
    ])
    expect(results).toMatchObject([{ status: 'fulfilled' }, { reason: refused }, { status: 'fulfilled', value: 1 }])
    expect(environment.bytes(KEY)?.toString()).toBe('before')
    await queue.close()
    await environment.close()
  })

  it('shows rows as they are before each step of a series writes them, and says when they are on disk', async () => {
    const { queue, environment } = openQueue()
    const seen: string[] = []
    await queue.runSeries((step) => {
      for (const text of ['a', 'b']) {
        step(
          (writes) => {
            writes.put(KEY, Buffer.from(text))
            writes.afterCommit(() => seen.push(`${text} is on disk`))
          },
          { onRow: (key) => seen.push(environment.bytes(key)?.toString() ?? 'nothing') },
        )
      }
    })
    expect(seen).toEqual(['nothing', 'a', 'a is on disk', 'b is on disk'])
    await queue.close()
    await environment.close()
  })

  it('undoes the whole transaction when a row cannot be written', async () => {
    const { queue, environment } = openQueue()
    const results = await Promise.allSettled([
      queue.run((writes) => writes.put(KEY, Buffer.from('whole'))),
      queue.run((writes) => writes.put(Buffer.alloc(5_000, 1), Buffer.from('key too long'))),
    ])
    expect(results).toMatchObject([
      { status: 'rejected', reason: { code: 'STORAGE_FAILED' } },
      { status: 'rejected', reason: { code: 'STORAGE_FAILED' } },
    ])
    expect(environment.bytes(KEY)).toBeUndefined()
    await queue.run((writes) => writes.put(KEY, Buffer.from('next')))
    expect(environment.bytes(KEY)?.toString()).toBe('next')
    await queue.close()
    await environment.close()
  })

  it('takes 20,000 waiting operations and refuses the next', async () => {
    const { queue, environment } = openQueue()
    const waiting = Array.from({ length: 20_000 }, () => queue.run(() => 'done'))
    await expect(queue.run(() => 'too many')).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    await Promise.all(waiting)
    expect(await queue.run(() => 'again')).toBe('again')
    await queue.close()
    await environment.close()
  })

  it('finishes what waits when it is closed, and takes nothing more', async () => {
    const { queue, environment } = openQueue()
    const last = queue.run((writes) => writes.put(KEY, Buffer.from('last')))
    await queue.close()
    await last
    expect(environment.bytes(KEY)?.toString()).toBe('last')
    await expect(queue.run(() => 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await environment.close()
  })

  it('fails every write once the disk has stopped answering', async () => {
    const { queue, environment } = openQueue({ commitTimeoutMs: 20 })
    Object.defineProperty(environment.db, 'childTransaction', { value: () => new Promise(() => {}) })
    const first = queue.run(() => 1)
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    const second = queue.run(() => 2)
    await expect(first).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    await expect(second).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    await expect(queue.run(() => 3)).rejects.toMatchObject({ details: { hint: expect.stringContaining('restart') } })
    await queue.close()
    await environment.close()
  })
})
