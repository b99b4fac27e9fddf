import { describe, expect, it } from 'vitest'
import {
  activityLosses,
  createActivity,
  createActivityView,
  openActivity,
  readActivity,
} from '../../src/shm/activity.ts'
import { ACTIVITY_HEAD_WORDS, BLOCK_WORDS, lineOf } from '../../src/shm/activity-layout.ts'
import { activityFromBytes, activityToBytes } from '../../src/shm/activity-snapshot.ts'
import { classOf, headOf } from '../../src/shm/activity-table.ts'
import { messageWith, startFixture } from './start-fixture.ts'

const THREADS = 4
const ROUNDS = 40_000
const NOW = Date.UTC(2026, 2, 14, 12, 0)

/** Runs the threads over one table and adds up what it says of the callers they share. */
async function hammer(memory: SharedArrayBuffer, callers: number, strangers: boolean) {
  const threads = Array.from({ length: THREADS }, (_, thread) =>
    startFixture('activity-counter', { memory, thread, rounds: ROUNDS, callers, nowMs: NOW, strangers }),
  )
  const results = (await Promise.all(threads.map((thread) => messageWith(thread, 'ended')))) as {
    ended: number
    impossible: number
  }[]
  const activity = openActivity(memory)
  const view = createActivityView()
  const sums = { attempts: 0, ended: 0, answered: 0, oneRings: 0, talk: 0, trunks: 0 }
  for (let caller = 0; caller < callers; caller++) {
    readActivity(activity, 79_160_000_000 + caller, 2, NOW, view)
    sums.attempts += view.attempts60
    sums.ended += view.ended60
    sums.answered += view.answered60
    sums.oneRings += view.oneRing60
    sums.talk += view.talkSeconds60
    sums.trunks = Math.max(sums.trunks, view.trunks15)
  }
  return { activity, results, sums }
}

describe('activity under four threads', () => {
  it.each([
    ['one caller', 1],
    ['callers with a sketch', 64],
    ['callers whose lists grow in blocks', 1_600],
  ])('loses and doubles no count: %s', async (_, callers) => {
    const { activity, results, sums } = await hammer(createActivity(250_000), callers, false)
    expect(results.map(({ impossible }) => impossible)).toEqual([0, 0, 0, 0])
    expect(activityLosses(activity)).toEqual({ overruns: 0, lost: 0 })
    expect(sums).toEqual({
      attempts: THREADS * ROUNDS,
      ended: (THREADS * ROUNDS) / 2,
      answered: (THREADS * ROUNDS) / 4,
      oneRings: (THREADS * ROUNDS) / 4,
      talk: 7 * ((THREADS * ROUNDS) / 4),
      trunks: 4,
    })
    for (const { ended } of results) expect(ended).toBe(ROUNDS / 2)
  })

  it('stays whole while heads and blocks change hands, and while a snapshot is taken', async () => {
    const memory = createActivity(500)
    const watcher = openActivity(memory)
    let snapshots = 0
    const hammering = hammer(memory, 3, true)
    let running = true
    const ended = hammering.then(() => {
      running = false
    })
    while (running) {
      activityFromBytes(activityToBytes(watcher), 500)
      snapshots++
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await ended
    const { activity, results } = await hammering
    expect(snapshots).toBeGreaterThan(0)
    expect(results.map(({ impossible }) => impossible)).toEqual([0, 0, 0, 0])
    for (let set = 0; set < activity.sets; set++) expect(activity.words[lineOf(set)]).toBe(0)
    expectBlocksOwned(activity)
  })
})

/** Every block that has an owner is that head's, and every head with a block owns it. */
function expectBlocksOwned(activity: ReturnType<typeof openActivity>): void {
  const { words, poolAt, poolCount } = activity
  let owned = 0
  for (let size = 1; size <= 3; size++) {
    for (let i = 0; i < poolCount[size]!; i++) {
      const block = poolAt[size]! + i * BLOCK_WORDS[size]!
      const owner = words[block]!
      if (owner === 0) continue
      owned++
      const head = headOf(owner)
      expect(classOf(words, head)).toBe(size)
      expect(words[head + 7]).toBe(block)
    }
  }
  let claimed = 0
  for (let set = 0; set < activity.sets; set++) {
    for (let way = 1; way <= 15; way++) {
      if (words[lineOf(set) + way] !== 0 && classOf(words, lineOf(set) + way * ACTIVITY_HEAD_WORDS) !== 0) claimed++
    }
  }
  expect(claimed).toBe(owned)
}
