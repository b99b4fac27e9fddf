import { callFunction } from './call-function.ts'
import type { FactEntry } from './fact-streams.ts'
import { partitionKeys } from './keys.ts'
import { isGapless, parseEntries } from './parse-entries.ts'
import { damaged } from './redis-errors.ts'
import type { RedisLink } from './redis-link.ts'
import { packSegment } from './segments.ts'

/** A stream entry takes about 300 bytes, a packed one 60 (random ids do not deflate): 2.5 MB a stream before it is sealed. */
const SEAL_AT = 8_192
/** At most 1 MiB when they are rows of a desk; a few milliseconds of Redis. */
const BATCH = 64
/** Texts of policies may be large: a segment stays one that is read and sent well within a call's time. */
const SEGMENT_BYTES_MAX = 2 * 1024 * 1024

/** RedisRecord.seal. A second node at the same work finds that the stream begins elsewhere now, and changes nothing. */
export async function sealFacts(link: RedisLink, recordId: string, partition: number): Promise<boolean> {
  const keys = partitionKeys(recordId, partition)
  const doing = `sealing partition ${partition}`
  const length = await link.call(doing, () => link.client.xlen(keys.facts))
  const line = link.bulk()
  if (length <= SEAL_AT) return false
  const entries: FactEntry[] = []
  let bytes = 0
  let from = '-'
  while (entries.length < SEAL_AT / 2 && bytes < SEGMENT_BYTES_MAX) {
    const count = Math.min(BATCH, SEAL_AT / 2 - entries.length)
    const reply = await line.call(doing, () => line.client.callBuffer('xrange', keys.facts, from, '+', 'COUNT', count))
    const batch = parseEntries(reply)
    if (!batch || batch.length === 0) break
    entries.push(...batch)
    bytes += batch.reduce((sum, { payload }) => sum + payload.length, 0)
    from = `(${idOf(entries.at(-1))}`
  }
  const [first] = entries
  const last = entries.at(-1)
  if (!first || !last) return false
  if (!isGapless(first.position.sequence - 1, entries)) throw damaged(keys.facts, 'has a gap')
  const answer = await callFunction(line, 'seal', doing, {
    keys: [keys.head, keys.facts, keys.epochs, keys.segments, keys.segment],
    args: [
      idOf(first),
      idOf(last),
      String(first.position.sequence),
      String(last.position.sequence),
      await packSegment(entries),
    ],
  })
  return answer === 1
}

function idOf(entry: FactEntry | undefined): string {
  return `${entry?.position.epoch}-${entry?.position.sequence}`
}
