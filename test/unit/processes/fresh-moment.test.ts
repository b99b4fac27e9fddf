import { describe, expect, it } from 'vitest'
import { CONTROL_SILENT_MS, createRecordMoment, freshMoment } from '../../../src/processes/fresh-moment.ts'

const NOW_MS = 1_700_000_000_000

describe('the state of a verdict process', () => {
  it('is as fresh as the change log while control is heard of', () => {
    expect(freshMoment(NOW_MS - 20, 0, NOW_MS)).toBe(NOW_MS - 20)
    expect(freshMoment(NOW_MS - 20, CONTROL_SILENT_MS - 1, NOW_MS)).toBe(NOW_MS - 20)
  })

  it('ages from the last word of a control process that has gone silent', () => {
    expect(freshMoment(NOW_MS - 20, 5_000, NOW_MS)).toBe(NOW_MS - 5_000)
  })

  it('is no fresher than the oldest change that waits, whoever is silent', () => {
    expect(freshMoment(NOW_MS - 9_000, 5_000, NOW_MS)).toBe(NOW_MS - 9_000)
  })

  it('is no fresher than the record in Redis that it comes from', () => {
    expect(freshMoment(NOW_MS - 20, 0, NOW_MS, NOW_MS - 700)).toBe(NOW_MS - 700)
    expect(freshMoment(NOW_MS - 9_000, 0, NOW_MS, NOW_MS - 700)).toBe(NOW_MS - 9_000)
    expect(freshMoment(NOW_MS - 20, 5_000, NOW_MS, NOW_MS - 700)).toBe(NOW_MS - 5_000)
  })
})

describe('up to when the record is in force', () => {
  it('is not asked on a node that is its own record', () => {
    expect(createRecordMoment().upTo(NOW_MS)).toBeUndefined()
  })

  it('follows the word of control once the log of that time is in force', () => {
    const record = createRecordMoment()
    record.hear(NOW_MS - 40, NOW_MS)
    expect(record.upTo(NOW_MS - 10)).toBeUndefined()
    expect(record.upTo(NOW_MS)).toBe(NOW_MS - 40)
    record.hear(NOW_MS + 960, NOW_MS + 1_000)
    expect(record.upTo(NOW_MS + 999)).toBe(NOW_MS - 40)
    expect(record.upTo(NOW_MS + 1_050)).toBe(NOW_MS + 960)
  })

  it('stays where it was when nothing more is heard', () => {
    const record = createRecordMoment()
    record.hear(NOW_MS - 40, NOW_MS)
    expect(record.upTo(NOW_MS + 60_000)).toBe(NOW_MS - 40)
  })

  it('moves on when every snapshot takes longer than the time between two words', () => {
    const record = createRecordMoment()
    for (let second = 0; second <= 6; second++) record.hear(NOW_MS + second * 1_000 - 40, NOW_MS + second * 1_000)
    expect(record.upTo(NOW_MS + 3_000)).toBe(NOW_MS - 40)
    expect(record.upTo(NOW_MS + 6_000)).toBe(NOW_MS + 6_000 - 40)
  })

  it('keeps what is in force when control starts anew and has not read the record yet', () => {
    const record = createRecordMoment()
    record.hear(NOW_MS - 40, NOW_MS)
    record.hear(0, NOW_MS + 1_000)
    expect(record.upTo(NOW_MS + 2_000)).toBe(NOW_MS - 40)
  })

  it('is not known at all when no control process has read the record since this process started', () => {
    const record = createRecordMoment()
    record.hear(0, NOW_MS)
    expect(record.upTo(NOW_MS)).toBe(0)
  })

  it('is what was kept until control has read the record, and not known when nothing was', () => {
    const record = createRecordMoment(NOW_MS - 90_000)
    expect(record.upTo(NOW_MS)).toBe(NOW_MS - 90_000)
    record.hear(NOW_MS - 40, NOW_MS)
    expect(record.upTo(NOW_MS)).toBe(NOW_MS - 40)
    expect(createRecordMoment(0).upTo(NOW_MS)).toBe(0)
  })

  it('goes on when the clock is set back', () => {
    const record = createRecordMoment()
    record.hear(NOW_MS - 40, NOW_MS)
    record.hear(NOW_MS - 3_600_040, NOW_MS - 3_600_000)
    expect(record.upTo(NOW_MS - 3_600_000)).toBe(NOW_MS - 3_600_040)
  })
})
