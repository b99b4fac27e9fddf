import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openListReader } from '../../src/services/export-list.ts'
import { exportCsv } from '../../src/transports/control-plane/export-csv.ts'
import { createImportWorld, type ImportWorld } from '../support/import-world.ts'

async function exported({ store }: ImportWorld, list: string): Promise<string> {
  const version = store.list(list)?.active
  if (version === undefined) throw new Error('no version')
  let text = ''
  for await (const part of exportCsv(openListReader(version, store.contents), () => {})) text += part
  return text
}

/** Prefixes of plans with one length, two and many, and ranges and numbers that they are made of. */
const PREFIXES = ['7907000', '79070002', '790700021', '4930', '49301', '4930123', '1212', '44794600', '7800', '371']
const numbers = fc.oneof(
  fc.constantFrom(...PREFIXES).map((digits) => `+${digits}*`),
  fc
    .tuple(fc.constantFrom(...PREFIXES), fc.integer({ min: 7, max: 15 }))
    .filter(([digits, length]) => length > digits.length)
    .map(([digits, length]) => `+${digits.padEnd(length, '0')}-+${digits.padEnd(length, '9')}`),
  fc.constantFrom('+79070002000', '+79070002009', '+79070002000-+79070002008', '+493012345'),
)
const row = fc
  .tuple(numbers, fc.constantFrom(',,', 'x,,', 'x,2031-01-01,', ',,hotline'))
  .map(([number, details]) => `${number},${details}\n`)

describe('an exported list', () => {
  it('is the same list when it is uploaded, and exported the same again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 8 }),
        fc.array(row, { maxLength: 4 }),
        async (base, added) => {
          const world = createImportWorld()
          try {
            for (const name of ['first', 'second']) await world.createList(name)
            const valid = '+79161234567,,,\n'
            await world.import('first', `number,reason,expires,source\n${valid}${base.join('')}`)
            await world.import('first', `number,reason,expires,source\n${valid}${added.join('')}`, { mode: 'append' })
            const text = await exported(world, 'first')
            const copy = await world.import('second', text)
            expect(copy).toMatchObject({ state: 'active', counts: { rejected: 0 } })
            expect(world.reasons('second')).toEqual(world.reasons('first'))
            expect(await exported(world, 'second')).toBe(text)
            const again = await world.import('first', text)
            expect(again.counts).toMatchObject({ added: 0, removed: 0, updated: 0 })
          } finally {
            world.remove()
          }
        },
      ),
      { numRuns: 150, examples: [[['+4930000-+4930999,,,\n', '+4930123*,,,\n'], ['+49300000-+49309999,,,\n']]] },
    )
  })

  it('has prefixes as they were written, while all their ranges are there and say the same', async () => {
    const world = createImportWorld()
    try {
      await world.createList('bad')
      await world.import('bad', '+79070002*\n+4930*\n+1212*\n')
      const header = 'number,reason,expires,source\n'
      const american = '+12120000000-+12129999999,,,\n'
      expect(await exported(world, 'bad')).toBe(`${header}+4930*,,,\n${american}+79070002*,,,\n`)
      const longer = '+790700020000000-+790700029999999'
      await world.import('bad', `number,reason\n${longer},x\n`, { mode: 'append' })
      expect(await exported(world, 'bad')).toBe(
        `${header}+4930*,,,\n${american}+79070002000-+79070002999,,,\n${longer},x,,\n`,
      )
      await world.import('bad', `${longer}\n`, { mode: 'remove' })
      expect(await exported(world, 'bad')).toBe(`${header}+4930*,,,\n${american}+79070002000-+79070002999,,,\n`)
    } finally {
      world.remove()
    }
  })
})
