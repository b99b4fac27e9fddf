import { describe, expect, it } from 'vitest'
import { decodeFact, encodeFact } from '../../../src/stores/fact-codec.ts'
import { report } from '../../contract/record-store.contract.ts'

const FACT = { kind: 'report', report: report('r1'), actor: 'agent', atMs: 1 } as const
const PLAIN = { kind: 'list-put', name: 'black', listKind: 'deny', title: '', actor: 'anna', atMs: 1 } as const
const versionOf = (payload: Buffer) => (JSON.parse(payload.toString()) as { v: number }).v

describe('facts', () => {
  it('are read back', () => {
    expect(decodeFact(encodeFact(FACT))).toEqual(FACT)
    expect(decodeFact(encodeFact(PLAIN))).toEqual(PLAIN)
  })

  it('that a version before would read wrongly say so, and no others', () => {
    expect([versionOf(encodeFact(FACT)), versionOf(encodeFact(PLAIN))]).toEqual([2, 1])
  })

  it('of the format before are read', () => {
    expect(decodeFact(Buffer.from(JSON.stringify({ v: 1, ...FACT })))).toEqual(FACT)
  })

  it.each([
    [3, 'STORAGE_FORMAT'],
    [0, 'RECORD_DAMAGED'],
    [1.5, 'RECORD_DAMAGED'],
    ['2', 'RECORD_DAMAGED'],
  ])('of format %j are refused', (v, code) => {
    const payload = Buffer.from(JSON.stringify({ v, ...FACT }))
    expect(() => decodeFact(payload)).toThrow(expect.objectContaining({ code }))
  })
})
