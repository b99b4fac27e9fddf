import { closeSync, openSync, writeSync } from 'node:fs'

/** Distinct Russian mobile numbers in no order, one a line: a bijection of 0..10^10 by a multiplier prime to 10. */
export function writeNumbersFile(file: string, rows: number, seed = 0): void {
  const handle = openSync(file, 'w')
  const lines: string[] = []
  for (let i = 0; i < rows; i++) {
    lines.push(generatedNumber(i, seed))
    if (lines.length === 100_000 || i === rows - 1) writeSync(handle, `${lines.splice(0).join('\n')}\n`)
  }
  closeSync(handle)
}

const NUMBERS = 1_000_000_000

/** `+79` and nine digits; the same for the same (index, seed). */
export function generatedNumber(index: number, seed = 0): string {
  // Times 387,420,489, in two parts that doubles hold exactly.
  const place = (index + seed) % NUMBERS
  const value = (((place * 387) % NUMBERS) * 1_000_000 + place * 420_489 + 123_456_789) % NUMBERS
  return `+79${String(value).padStart(9, '0')}`
}
