import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ScreeningError } from '../../../src/domain/errors.ts'
import type { RecordState } from '../../../src/domain/record-view.ts'
import { createFollowLog } from '../../../src/processes/follow-log.ts'

const PROBLEM = { code: 'UNAVAILABLE', detail: 'Redis is away.' }
const away = (partition: number) => ({
  partition,
  state: 'away' as const,
  error: new ScreeningError('UNAVAILABLE', 'Redis is away.'),
})

describe('the log of a node that follows its record', () => {
  let states: Partial<Record<RecordState, number>>
  let lines: [string, string, object][]
  let log: ReturnType<typeof createFollowLog>

  beforeEach(() => {
    vi.useFakeTimers()
    states = { away: 65 }
    lines = []
    const say = (level: string) => (fields: object, text: string) => void lines.push([level, text, fields])
    const status = () => ({ states, problem: states.following === 65 ? undefined : PROBLEM })
    log = createFollowLog({}, { status, log: { info: say('info'), warn: say('warn') } })
  })
  afterEach(() => {
    log.stop()
    vi.useRealTimers()
  })
  const said = () => lines.splice(0).map(([level, text]) => `${level}: ${text}`)

  it('says nothing of an ordinary start', () => {
    log.trouble(away(3))
    vi.advanceTimersByTime(2_000)
    states = { following: 65 }
    vi.advanceTimersByTime(60_000)
    expect(lines).toEqual([])
  })

  it('says of a start without Redis that the record is not followed, and when it is', () => {
    vi.advanceTimersByTime(20_000)
    expect(lines).toMatchObject([['warn', 'the record is not followed', { code: 'UNAVAILABLE', others: 64 }]])
    expect(said()).toHaveLength(1)
    states = { following: 65 }
    vi.advanceTimersByTime(20_000)
    expect(lines).toMatchObject([['info', 'the record is followed again', { awaySeconds: 20.5 }]])
  })

  it('says once that it is away, however many partitions say so, and once that it is back, with how long that was', () => {
    states = { following: 65 }
    vi.advanceTimersByTime(10_000)
    states = { away: 65 }
    for (let partition = 0; partition < 65; partition++) log.trouble(away(partition))
    vi.advanceTimersByTime(30_000)
    const fields = { partition: 0, state: 'away', code: 'UNAVAILABLE', problem: 'Redis is away.', others: 64 }
    expect(lines).toEqual([['warn', 'the record is not followed', fields]])
    lines = []
    states = { following: 64, away: 1 }
    vi.advanceTimersByTime(5_000)
    expect(lines).toEqual([])
    states = { following: 65 }
    vi.advanceTimersByTime(5_000)
    expect(lines).toEqual([['info', 'the record is followed again', { awaySeconds: 35.5 }]])
  })

  it('says so when only some partitions are not followed, and nothing of what passes at once', () => {
    states = { following: 65 }
    vi.advanceTimersByTime(10_000)
    log.trouble(away(1))
    vi.advanceTimersByTime(1_000)
    expect(lines).toEqual([])
    states = { following: 62, away: 3 }
    log.trouble(away(1))
    vi.advanceTimersByTime(1_000)
    expect(said()).toEqual(['warn: some partitions of the record are not followed'])
  })
})
