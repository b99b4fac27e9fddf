import { describe, expect, it } from 'vitest'
import { createChangeTally, type ReplayedCall } from '../../../src/jobs/tally-changes.ts'

const call = (fields: Partial<ReplayedCall> = {}): ReplayedCall => ({
  caller: '+79160000002',
  trunk: 'a',
  ingress: 'national',
  from: 'allow',
  to: 'block',
  ...fields,
})

describe('the tally of a rehearsal', () => {
  it('counts calls whose verdict stays, but no caller of theirs', () => {
    const tally = createChangeTally()
    tally.note(call({ to: 'allow' }))
    tally.note(call({ caller: '+79160000003', trunk: 'b' }))
    expect(tally.summary()).toMatchObject({
      decisions: 2,
      changed: 1,
      callers: { changed: 1, complete: true, hitMost: [{ caller: '+79160000003', changed: 1 }] },
      trunks: [
        { trunk: 'b', decisions: 1, changed: 1 },
        { trunk: 'a', decisions: 1, changed: 0 },
      ],
    })
  })

  it('remembers so many callers one by one and says so when there are more', () => {
    const tally = createChangeTally({ callersMax: 2 })
    for (const caller of ['a', 'b', 'b', 'a']) tally.note(call({ caller }))
    expect(tally.summary().callers).toMatchObject({ changed: 2, complete: true })
    tally.note(call({ caller: 'c' }))
    tally.note(call({ caller: 'b' }))
    const { changed, callers } = tally.summary()
    expect(changed).toBe(6)
    expect(callers).toMatchObject({ changed: 2, complete: false })
    expect(callers.hitMost.map((one) => [one.caller, one.changed])).toEqual([
      ['b', 3],
      ['a', 2],
    ])
  })

  it('shows twenty callers', () => {
    const tally = createChangeTally()
    for (let index = 0; index < 21; index++) tally.note(call({ caller: `caller-${index}` }))
    expect(tally.summary().callers.changed).toBe(21)
    expect(tally.summary().callers.hitMost).toHaveLength(20)
  })
})
