import type { FieldError } from './errors.ts'
import { nearestName } from './nearest-name.ts'

/** Beyond this nobody reads on, and an answer stays small whatever was sent. */
export const FIELD_ERRORS_MAX = 50

/**
 * Reads a document of unknown shape field by field and collects everything that is wrong with it, each with its JSON
 * Pointer (RFC 6901). Every reader returns a value of the right type; what it returns for a wrong field is never used,
 * because the caller throws when `errors` is not empty. Only own properties are read and keys are only compared, so a
 * `__proto__` key is just an unknown key.
 */
export type FieldChecker = {
  readonly errors: readonly FieldError[]
  fail(pointer: string, detail: string): void
  /** The object at `pointer`: all of `keys` must be there, `optional` ones may be, and no others. */
  object(
    value: unknown,
    pointer: string,
    keys: readonly string[],
    optional?: readonly string[],
  ): Readonly<Record<string, unknown>>
  list(value: unknown, pointer: string, countMin: number, countMax: number): readonly unknown[]
  integer(value: unknown, pointer: string, min: number, max: number): number
  number(value: unknown, pointer: string, min: number, max: number): number
  /** A string that matches; `expected` completes "must be …". */
  text(value: unknown, pointer: string, pattern: RegExp, expected: string): string
  oneOf<Name extends string>(value: unknown, pointer: string, names: readonly Name[]): Name
}

export function createFieldChecker(): FieldChecker {
  const errors: FieldError[] = []

  function fail(pointer: string, detail: string): void {
    if (errors.length >= FIELD_ERRORS_MAX) return
    // What is inside a value that is wrong itself need not be told.
    const isTold = errors.some((error) => pointer === error.pointer || pointer.startsWith(`${error.pointer}/`))
    if (!isTold) errors.push({ pointer, detail })
  }

  function between(value: unknown, pointer: string, min: number, max: number, what: string, isRight: boolean): number {
    if (isRight && typeof value === 'number' && value >= min && value <= max) return value
    fail(pointer, `${label(pointer)} must be ${what} from ${min} to ${max}, got ${shown(value)}.`)
    return min
  }

  return {
    errors,
    fail,
    object(value, pointer, required, optional = []) {
      const keys = [...required, ...optional]
      if (!isPlainObject(value)) {
        fail(pointer, `${label(pointer)} must be an object with the keys ${keys.join(', ')}, got ${shown(value)}.`)
        return {}
      }
      for (const key of Object.keys(value)) {
        if (keys.includes(key)) continue
        const near = nearestName(key, keys)
        const hint = near === undefined ? `Known keys: ${keys.join(', ')}.` : `Did you mean "${near}"?`
        fail(`${pointer}/${escapePointer(key)}`, `${shown(key)} is not a known key here. ${hint}`)
      }
      for (const key of required) {
        if (!Object.hasOwn(value, key)) fail(`${pointer}/${key}`, `"${key}" is missing.`)
      }
      return value
    },
    list(value, pointer, countMin, countMax) {
      if (Array.isArray(value) && value.length >= countMin && value.length <= countMax) return value
      const got = Array.isArray(value) ? `a list of ${value.length}` : shown(value)
      fail(pointer, `${label(pointer)} must be a list of ${countMin} to ${countMax} items, got ${got}.`)
      return []
    },
    integer: (value, pointer, min, max) =>
      between(value, pointer, min, max, 'a whole number', Number.isSafeInteger(value)),
    number: (value, pointer, min, max) => between(value, pointer, min, max, 'a number', Number.isFinite(value)),
    text(value, pointer, pattern, expected) {
      if (typeof value === 'string' && pattern.test(value)) return value
      fail(pointer, `${label(pointer)} must be ${expected}, got ${shown(value)}.`)
      return ''
    },
    oneOf(value, pointer, names) {
      const found = names.find((name) => name === value)
      if (found !== undefined) return found
      const near = typeof value === 'string' ? nearestName(value, names) : undefined
      const hint = near === undefined ? '' : ` Did you mean "${near}"?`
      fail(pointer, `${label(pointer)} must be one of ${names.join(', ')}, got ${shown(value)}.${hint}`)
      // Never used: there is an error now. The lists are constants and not empty.
      return names[0] as (typeof names)[number]
    },
  }
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A key as a JSON Pointer segment. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function label(pointer: string): string {
  return pointer === '' ? 'The document' : `"${pointer.slice(pointer.lastIndexOf('/') + 1)}"`
}

/** What was got, short enough for a message and never the whole of a big value. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (value === undefined) return 'nothing'
  return String(value)
}
