import type { PhoneNumber } from '../domain/phone-number.ts'
import type { ListContents } from '../stores/ports.ts'
import { createDetailsDictionary } from './details-dictionary.ts'
import { firstAtLeast } from './first-at-least.ts'
import { rangesOfVersion } from './layer-rows.ts'
import type { JobVersion } from './list-jobs.ts'

/**
 * Which callers a version covers at `nowMs`, by a number or a range whose time is not over: what a change adds on top is
 * its impact. A caller costs one look-up in each layer (the newest has the word), and the ranges, at most a million, are
 * read for the first caller that no number decides; numbers are never read whole.
 */
export function coveredBefore(
  { layers }: JobVersion,
  { contents, nowMs, onBlock }: { contents: ListContents; nowMs: number; onBlock: () => void },
): (caller: number) => boolean {
  const numbered = layers.filter(({ numberCount }) => numberCount > 0)
  let isInRange: ((caller: number) => boolean) | undefined

  function isListed(caller: number): boolean {
    for (const { layerId } of numbered) {
      const entry = contents.entry(layerId, caller as PhoneNumber)
      if (entry !== undefined) return !entry.removed && isInForce(entry.details.expiresMs, nowMs)
    }
    return false
  }

  return (caller) => {
    if (isListed(caller)) return true
    isInRange ??= rangeCover(layers, { contents, nowMs, onBlock })
    return isInRange(caller)
  }
}

function rangeCover(
  layers: JobVersion['layers'],
  { contents, nowMs, onBlock }: { contents: ListContents; nowMs: number; onBlock: () => void },
): (caller: number) => boolean {
  const dictionary = createDetailsDictionary()
  const { from, to, ids } = rangesOfVersion({ contents, dictionary, onBlock }, layers)
  // The largest end among the ranges up to each one: a caller is covered when that of the last one before it reaches it.
  const reach = new Float64Array(from.length)
  let furthest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < from.length; i++) {
    const expiresMs = dictionary.entries[(ids[i] ?? 0) - 1]?.expiresMs
    if (isInForce(expiresMs, nowMs)) furthest = Math.max(furthest, to[i] ?? 0)
    reach[i] = furthest
  }
  return (caller) => {
    const begun = firstAtLeast(from, caller + 1)
    return begun > 0 && (reach[begun - 1] ?? 0) >= caller
  }
}

function isInForce(expiresMs: number | undefined, nowMs: number): boolean {
  return expiresMs === undefined || expiresMs >= nowMs
}
