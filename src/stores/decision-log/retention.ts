/** Which segments of the decision log have had their time: pure, so that the rule can be read and tested alone. */
import { parseSegmentName } from './segment-format.ts'

export const DAY_MS = 86_400_000

export type RetentionLimits = {
  readonly retentionDays: number
  /** Of all segments of all processes together. */
  readonly retentionBytesMax: number
}

export type SegmentFile = { readonly name: string; readonly bytes: number }

/**
 * Names of the segments to delete, oldest first: all created more than retentionDays ago, then the oldest until the rest
 * fits into retentionBytesMax. The newest segment of each process is spared by the second rule for as long as that
 * process may still be writing to it: segments end with their UTC day.
 */
export function expiredSegments(files: readonly SegmentFile[], limits: RetentionLimits, nowMs: number): string[] {
  const segments = files
    .flatMap((file) => {
      const named = parseSegmentName(file.name)
      return named ? [{ ...file, ...named }] : []
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const newest = new Map(segments.map((segment) => [segment.process, segment.name]))
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  const expired: string[] = []
  for (const segment of segments) {
    const ageMs = nowMs - segment.createdMs
    const isOpen = newest.get(segment.process) === segment.name && ageMs <= DAY_MS
    if (ageMs <= limits.retentionDays * DAY_MS && (bytes <= limits.retentionBytesMax || isOpen)) continue
    expired.push(segment.name)
    bytes -= segment.bytes
  }
  return expired
}
