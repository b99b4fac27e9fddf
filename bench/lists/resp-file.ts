import { closeSync, openSync, writeSync } from 'node:fs'
import { generatedNumber } from '../lib/generate-numbers.ts'

/** Text that is written at once. */
const FLUSH_ROWS = 100_000

/** The rows of writeNumbersFile as SADD commands of `rowsEach` members, in the protocol of Redis: what `redis-cli --pipe` reads. */
export function writeRespFile(file: string, key: string, rows: number, rowsEach: number): void {
  const handle = openSync(file, 'w')
  let commands: string[] = []
  for (let from = 0; from < rows; from += rowsEach) {
    const count = Math.min(rowsEach, rows - from)
    const members = Array.from({ length: count }, (_, index) => bulk(generatedNumber(from + index)))
    commands.push(`*${count + 2}\r\n${bulk('SADD')}${bulk(key)}${members.join('')}`)
    if (commands.length * rowsEach < FLUSH_ROWS && from + count < rows) continue
    writeSync(handle, commands.join(''))
    commands = []
  }
  closeSync(handle)
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`
}
