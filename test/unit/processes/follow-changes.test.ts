import { describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { createFollower, type FollowerDependencies } from '../../../src/processes/follow-changes.ts'
import type { Change } from '../../../src/stores/ports.ts'

const report = (sequence: number): Change => ({ sequence, atMs: 0, kind: 'report', number: sequence as PhoneNumber })
const listed = (sequence: number): Change => ({ sequence, atMs: 0, kind: 'list', name: 'l', version: 1 })
const turn = () => new Promise((resolve) => setImmediate(resolve))

function follow(changes: Change[], overrides: Partial<FollowerDependencies> = {}) {
  const reported: number[] = []
  const published: number[] = []
  const progress: [number, number][] = []
  const failures: unknown[] = []
  const releases: (() => void)[] = []
  const follower = createFollower(0, {
    store: { changesAfter: (after, limit) => changes.filter((change) => change.sequence > after).slice(0, limit) },
    addReported: (number) => reported.push(number),
    publish: () => {
      published.push(changes.length)
      return new Promise((resolve) => releases.push(resolve))
    },
    onProgress: (seen, inForce) => progress.push([seen, inForce]),
    onFailure: (error) => failures.push(error),
    now: () => 7,
    ...overrides,
  })
  return { follower, reported, published, progress, failures, release: () => releases.shift()?.() }
}

describe('a follower of the change log', () => {
  it('puts reports into the gates at once', () => {
    const { follower, reported, published } = follow([report(1), report(2)])
    follower.nudge()
    expect(reported).toEqual([1, 2])
    expect(published).toEqual([])
    expect([follower.seen, follower.inForce, follower.freshMs]).toEqual([2, 2, 7])
  })

  it('goes on with reports while a snapshot is made, and says how far each is', async () => {
    const changes = [listed(1)]
    const { follower, reported, release, progress } = follow(changes)
    follower.nudge()
    expect([follower.seen, follower.inForce]).toEqual([1, 0])
    changes.push(report(2))
    follower.nudge()
    expect(reported).toEqual([2])
    expect([follower.seen, follower.inForce]).toEqual([2, 0])
    release()
    await turn()
    expect(follower.inForce).toBe(1)
    follower.nudge()
    expect(follower.inForce).toBe(2)
    expect(progress.at(-1)?.[0]).toBe(2)
  })

  it('tells that a report is in force once the snapshot before it is', async () => {
    const changes = [listed(1)]
    const { follower, release, progress } = follow(changes)
    follower.nudge()
    changes.push(report(2))
    follower.nudge()
    release()
    await turn()
    expect(progress.at(-1)).toEqual([2, 1])
    // Nothing new, but control may wait for this change to be in force.
    follower.nudge()
    expect(progress.at(-1)).toEqual([2, 2])
    const told = progress.length
    follower.nudge()
    expect(progress).toHaveLength(told)
  })

  it('is as old as the change that waits, however often it looks', async () => {
    const changes = [listed(1)]
    const clock = { ms: 1_000 }
    const { follower, release } = follow(changes, { now: () => clock.ms })
    expect(follower.freshMs).toBe(1_000)
    for (clock.ms = 2_000; clock.ms <= 6_000; clock.ms += 1_000) follower.nudge()
    expect(follower.freshMs).toBe(1_000)
    release()
    await turn()
    follower.nudge()
    expect(follower.freshMs).toBe(clock.ms)
  })

  it('is not fresh before it has read the whole log', () => {
    const clock = { ms: 1_000 }
    const changes = Array.from({ length: 1_000 }, (_, index) => report(index + 1))
    const { follower } = follow(changes, { now: () => clock.ms })
    clock.ms = 2_000
    follower.nudge()
    expect(follower.freshMs).toBe(1_000)
    follower.nudge()
    expect(follower.freshMs).toBe(2_000)
  })

  it('is as old as the snapshot in force while one change follows the other', async () => {
    const changes = [listed(1)]
    const clock = { ms: 1_000 }
    const { follower, release } = follow(changes, { now: () => clock.ms })
    for (clock.ms = 2_000; clock.ms <= 4_000; clock.ms += 1_000) {
      follower.nudge()
      changes.push(listed(changes.length + 1))
    }
    release()
    await turn()
    expect(follower.freshMs).toBe(2_000)
    release()
    await turn()
    expect(follower.freshMs).toBe(4_000)
  })

  it('covers any number of changes that arrive meanwhile with one more snapshot', async () => {
    const changes = [listed(1)]
    const { follower, published, release } = follow(changes)
    follower.nudge()
    for (let sequence = 2; sequence <= 9; sequence++) {
      changes.push(listed(sequence))
      follower.nudge()
    }
    expect(published).toHaveLength(1)
    release()
    await turn()
    expect(published).toHaveLength(2)
    release()
    await turn()
    expect(follower.inForce).toBe(9)
    expect(published).toHaveLength(2)
  })

  it('needs no snapshot for a review', () => {
    const { follower, published } = follow([{ sequence: 1, atMs: 0, kind: 'review', reviewId: 'r' }])
    follower.nudge()
    expect(published).toEqual([])
    expect(follower.inForce).toBe(1)
  })

  it('tells a record that cannot be read, and a snapshot that cannot be built', async () => {
    const unreadable = follow([], {
      store: {
        changesAfter: () => {
          throw new Error('gone')
        },
      },
    })
    unreadable.follower.nudge()
    expect(unreadable.failures).toHaveLength(1)
    const unbuildable = follow([listed(1)], { publish: () => Promise.reject(new Error('no memory')) })
    unbuildable.follower.nudge()
    await turn()
    expect(unbuildable.failures).toHaveLength(1)
    expect(unbuildable.follower.inForce).toBe(0)
  })

  it('catches up with more changes than one step takes', async () => {
    const changes = Array.from({ length: 2_500 }, (_, index) => report(index + 1))
    const { follower, reported } = follow(changes)
    follower.nudge()
    expect(reported).toHaveLength(1_000)
    await turn()
    await turn()
    await turn()
    expect(reported).toHaveLength(2_500)
  })

  it('claims nothing of a snapshot that is finished after it was closed', async () => {
    const { follower, release, progress } = follow([listed(1)])
    follower.nudge()
    const closed = follower.close()
    release()
    await closed
    expect(progress).toEqual([[1, 0]])
    expect(follower.inForce).toBe(0)
  })

  it('does nothing once closed', async () => {
    const { follower, reported } = follow([report(1)])
    await follower.close()
    follower.nudge()
    expect(reported).toEqual([])
  })
})
