import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { generatedNumber } from '../../../bench/lib/generate-numbers.ts'
import { writeRespFile } from '../../../bench/lists/resp-file.ts'

const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-resp-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** The commands of a file, read as Redis reads them: counts first, then so many strings of so many bytes. */
function commandsOf(rows: number, rowsEach: number): string[][] {
  const file = path.join(directory, 'rows.resp')
  writeRespFile(file, 'deny', rows, rowsEach)
  const text = readFileSync(file, 'latin1')
  let at = 0
  const line = () => {
    const end = text.indexOf('\r\n', at)
    const found = text.slice(at, end)
    at = end + 2
    return found
  }
  const commands: string[][] = []
  while (at < text.length) {
    const head = line()
    expect(head[0]).toBe('*')
    const command: string[] = []
    for (let left = Number(head.slice(1)); left > 0; left--) {
      const bytes = Number(line().slice(1))
      command.push(text.slice(at, at + bytes))
      at += bytes
      expect(line()).toBe('')
    }
    commands.push(command)
  }
  return commands
}

describe('a file for redis-cli --pipe', () => {
  it('has a command for each row', () => {
    expect(commandsOf(3, 1)).toEqual([0, 1, 2].map((index) => ['SADD', 'deny', generatedNumber(index)]))
  })

  it.each([
    [10, 4, [4, 4, 2]],
    [8, 4, [4, 4]],
    [3, 4, [3]],
  ])('parts %d rows into commands of %d', (rows, rowsEach, members) => {
    const commands = commandsOf(rows, rowsEach)
    expect(commands.map((command) => command.length - 2)).toEqual(members)
    const all = commands.flatMap((command) => command.slice(2))
    expect(all).toEqual(Array.from({ length: rows }, (_, index) => generatedNumber(index)))
  })

  it('has all rows of more than it writes at once', () => {
    const members = commandsOf(100_001, 1_000).flatMap((command) => command.slice(2))
    expect(members).toHaveLength(100_001)
    expect(members.at(-1)).toBe(generatedNumber(100_000))
  })
})

describe('generated numbers', () => {
  it.each([0, 1, 42, 999_999_999, 1_000_000_000, 1_700_000_001, 4_000_000_000])(
    'are a bijection by a multiplier: %d',
    (index) => {
      const value = (BigInt(index) * 387_420_489n + 123_456_789n) % 1_000_000_000n
      expect(generatedNumber(index)).toBe(`+79${String(value).padStart(9, '0')}`)
      expect(generatedNumber(0, index)).toBe(generatedNumber(index))
    },
  )
})
