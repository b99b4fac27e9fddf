/** More parameters than the contract knows, fewer than would hurt. */
const PARAMETERS_MAX = 64

/**
 * A raw query as names and values. Percent-encoding is undone once (RFC 3986); a broken escape stays as it is written;
 * `+` stays a plus, because here it belongs to phone numbers. Undefined when a name stands twice or there are too many:
 * two readers would pick different values.
 */
export function parseQuery(query: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>()
  if (query === '') return parameters
  const pieces = query.split('&', PARAMETERS_MAX + 1)
  if (pieces.length > PARAMETERS_MAX) return undefined
  for (const piece of pieces) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = decode(equals < 0 ? piece : piece.slice(0, equals))
    if (parameters.has(name)) return undefined
    parameters.set(name, equals < 0 ? '' : decode(piece.slice(equals + 1)))
  }
  return parameters
}

function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
