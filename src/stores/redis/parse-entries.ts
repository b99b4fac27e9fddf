import type { FactEntry, Position } from './fact-streams.ts'

/** Stream entries as XRANGE gives them in RESP 2, Buffers. Undefined when one of them is none of ours. */
export function parseEntries(reply: unknown): FactEntry[] | undefined {
  if (!Array.isArray(reply)) return undefined
  const entries: FactEntry[] = []
  for (const item of reply) {
    const entry = parseEntry(item)
    if (!entry) return undefined
    entries.push(entry)
  }
  return entries
}

function parseEntry(item: unknown): FactEntry | undefined {
  if (!Array.isArray(item) || !Array.isArray(item[1])) return undefined
  const [id, fields] = item
  const position = parsePosition(String(id))
  const [nameOfPayload, payload, nameOfId, factId] = fields
  if (!position || String(nameOfPayload) !== 'f' || String(nameOfId) !== 'i') return undefined
  if (!Buffer.isBuffer(payload) || !Buffer.isBuffer(factId)) return undefined
  return { position, factId: factId.toString('latin1'), payload }
}

function parsePosition(text: string): Position | undefined {
  const parts = /^(\d{1,16})-(\d{1,16})$/.exec(text)
  return parts ? { epoch: Number(parts[1]), sequence: Number(parts[2]) } : undefined
}

/** Do sequences count on from `after`, one by one? */
export function isGapless(after: number, entries: readonly FactEntry[]): boolean {
  return entries.every(({ position }, index) => position.sequence === after + 1 + index)
}
