import type { ExportedEntry, ExportPosition, ListReader } from '../../services/export-list.ts'
import { EXPORT_CHUNK_ROWS, EXPORT_START } from '../../services/export-list.ts'
import { representDetails, representNumbers } from './represent.ts'

const CSV_HEADER = 'number,reason,expires,source\n'

/**
 * A whole list as CSV, a chunk at a time: what an upload reads back as the same list. The stream asks for the next chunk
 * when the client has taken the last one, so 10 M rows need no more memory than one. `check` runs before the end and
 * throws when what was sent may be incomplete: the transfer then breaks off instead of looking whole.
 */
export async function* exportCsv(reader: ListReader, check: () => void): AsyncGenerator<string, void, void> {
  yield CSV_HEADER
  let position: ExportPosition | undefined = EXPORT_START
  while (position !== undefined) {
    const page: ReturnType<ListReader['read']> = reader.read(position, EXPORT_CHUNK_ROWS)
    if (page.rows.length > 0) yield page.rows.map(csvRow).join('')
    position = page.next
    // The export of a long list takes seconds: everybody else gets a turn after every chunk.
    await new Promise((resolve) => setImmediate(resolve))
  }
  check()
}

function csvRow(entry: ExportedEntry): string {
  const number = representNumbers(entry)
  const { reason, expires, source } = representDetails(entry.details)
  if (reason === undefined && expires === undefined && source === undefined) return `${number},,,\n`
  return `${number},${csvField(reason)},${expires ?? ''},${csvField(source)}\n`
}

/** RFC 4180 quoting; a leading = + - or @ gets an apostrophe, so that no spreadsheet runs a reason as a formula. */
export function csvField(text: string | undefined): string {
  if (text === undefined) return ''
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
