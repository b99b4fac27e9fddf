import { describe, expect, it } from 'vitest'
import { createKeptActivity } from '../../../src/processes/keep-activity.ts'
import { startSnapshots } from '../../../src/processes/keep-snapshots.ts'
import { ACTIVITY_OF, createActivityView, noteAttempt, openActivity, readActivity } from '../../../src/shm/activity.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'

const CALLER = 79_160_000_001
const NOW = Date.UTC(2026, 10, 27, 12)

describe('the activity of a verdict process', () => {
  it('is there again after a restart, and grows with the capacity', async () => {
    const directory = temporaryDirectory()
    const lines: string[] = []
    const say = (_fields: object, text: string) => void lines.push(text)
    const log = { info: say, warn: say }
    const start = (capacity: number) => {
      const kept = createKeptActivity({ capacity })
      return startSnapshots({ directory, label: 'verdict-1' }, { parts: [kept.part], now: Date.now, log }).then(
        (snapshots) => ({ kept, snapshots }),
      )
    }
    const before = await start(1_024)
    const activity = openActivity(before.kept.memory())
    for (let i = 0; i < 40; i++) noteAttempt(activity, CALLER, ACTIVITY_OF.caller, 79_260_000_000 + i * 7, 0, NOW + i)
    await before.snapshots.close()
    expect(lines).toEqual([])

    const after = await start(4_096)
    const view = createActivityView()
    expect(readActivity(openActivity(after.kept.memory()), CALLER, ACTIVITY_OF.caller, NOW + 1_000, view)).toBe(true)
    expect(view).toMatchObject({ attempts60: 40, others60: 40 })
    expect(lines).toEqual(['remembered from before the restart'])
    await after.snapshots.close()
  })
})
