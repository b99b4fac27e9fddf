import { closeSync, openSync, writeSync } from 'node:fs'

const MULTIPLIER = 387_420_489
const OFFSET = 123_456_789
/** Nine digits after +79. */
const NUMBERS = 1_000_000_000
/** `+79`, nine digits, a line end. */
const ROW_BYTES = 13
const ROWS_AT_ONCE = 100_000

/** Distinct Russian mobile numbers in no order, one a line: generatedNumber of seed, seed + 1, … */
export function writeNumbersFile(file: string, rows: number, seed = 0): void {
  const handle = openSync(file, 'w')
  const buffer = Buffer.alloc(ROW_BYTES * Math.min(rows, ROWS_AT_ONCE), '+79000000000\n')
  let value = scattered(0, seed)
  try {
    for (let written = 0; written < rows; ) {
      const count = Math.min(ROWS_AT_ONCE, rows - written)
      for (let row = 0; row < count; row++) {
        putDigits(buffer, row * ROW_BYTES + 3, value)
        // The next value by an addition: a hundred million of them would take a minute as whole products.
        value += MULTIPLIER
        if (value >= NUMBERS) value -= NUMBERS
      }
      writeSync(handle, buffer, 0, count * ROW_BYTES)
      written += count
    }
  } finally {
    closeSync(handle)
  }
}

function putDigits(buffer: Buffer, at: number, value: number): void {
  let rest = value
  for (let place = at + 8; place >= at; place--) {
    const tens = (rest * 0.1) | 0
    buffer[place] = 48 + rest - tens * 10
    rest = tens
  }
}

/** `+79` and nine digits; the same for the same (index, seed). A bijection of 0..10^9 by a multiplier prime to 10. */
export function generatedNumber(index: number, seed = 0): string {
  return `+79${String(scattered(index, seed)).padStart(9, '0')}`
}

function scattered(index: number, seed: number): number {
  // Times the multiplier, in two parts that doubles hold exactly.
  const place = (index + seed) % NUMBERS
  return (((place * 387) % NUMBERS) * 1_000_000 + place * 420_489 + OFFSET) % NUMBERS
}
