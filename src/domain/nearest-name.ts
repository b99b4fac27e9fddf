/**
 * The name in `names` that somebody who wrote `written` most likely meant, or undefined when none is near: at most a
 * third of its letters may differ (Levenshtein distance).
 */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  if (written.length > LETTERS_MAX) return undefined
  for (const name of names) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase())
    if (distance < least && distance <= Math.ceil(Math.max(name.length, written.length) / 3)) {
      least = distance
      nearest = name
    }
  }
  return nearest
}

/** The table is quadratic: nobody means a name by more letters than this. */
const LETTERS_MAX = 100

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
