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

/** `+79` and nine digits; the same for the same (index, seed). */
export function generatedNumber(index: number, seed = 0): string {
  const value = Number((BigInt(index + seed) * 387_420_489n + 123_456_789n) % 1_000_000_000n)
  return `+79${String(value).padStart(9, '0')}`
}
