import picocolors from 'picocolors'

/** A stream to print on: process.stdout, or an array in tests. */
export type OutputStream = { write(text: string): unknown; readonly isTTY?: boolean | undefined }

export type Colours = ReturnType<typeof picocolors.createColors>

/** Everything a command prints goes through here: results to `out`, progress and notes to `note`. */
export type Output = {
  readonly colours: Colours
  readonly isJson: boolean
  line(text?: string): void
  /** Progress and hints: standard error, so that a pipe gets results only. */
  note(text: string): void
  json(value: unknown): void
  table(head: readonly string[], rows: readonly (readonly string[])[]): void
}

export type OutputOptions = { readonly isColoured: boolean; readonly isJson: boolean }

export function createOutput(
  options: OutputOptions,
  streams: { readonly stdout: OutputStream; readonly stderr: OutputStream },
): Output {
  const colours = picocolors.createColors(options.isColoured)
  const line = (text = '') => void streams.stdout.write(`${text}\n`)
  return {
    colours,
    isJson: options.isJson,
    line,
    note: (text) => void streams.stderr.write(`${text}\n`),
    json: (value) => line(JSON.stringify(value, null, streams.stdout.isTTY ? 2 : undefined)),
    table(head, rows) {
      const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)))
      const render = (row: readonly string[]) =>
        widths.map((width, i) => (i === widths.length - 1 ? (row[i] ?? '') : (row[i] ?? '').padEnd(width))).join('  ')
      line(colours.dim(render(head)))
      for (const row of rows) line(render(row))
      if (rows.length === 0) void streams.stderr.write('(none)\n')
    },
  }
}

/** Text that came from elsewhere, fit for a terminal: no control characters, so nothing can move the cursor. */
export function printable(text: unknown): string {
  if (text === undefined || text === null) return ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
}

/** 1234567 as `1,234,567`. */
export function thousands(count: number | undefined): string {
  return count === undefined ? '' : count.toLocaleString('en-US')
}

/** `1 call`, `1,234 calls`; `many` where an s at the end is not it. */
export function counted(count: number | undefined, one: string, many = `${one}s`): string {
  return `${thousands(count ?? 0)} ${count === 1 ? one : many}`
}

/** `2026-03-01 12:00:05` in UTC from what the service writes (RFC 3339) or epoch milliseconds. */
export function shortTime(time: unknown): string {
  if (typeof time !== 'string' && typeof time !== 'number') return ''
  const at = new Date(time)
  return Number.isNaN(at.getTime()) ? printable(time) : at.toISOString().slice(0, 19).replace('T', ' ')
}
