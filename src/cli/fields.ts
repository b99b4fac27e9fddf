/**
 * A JSON object from the service, read field by field. The service is another version of this program, perhaps: a field
 * that is missing or of another type reads as undefined (or empty) and a command prints what there is.
 */
export type Fields = {
  text(name: string): string | undefined
  number(name: string): number | undefined
  flag(name: string): boolean | undefined
  fields(name: string): Fields
  items(name: string): Fields[]
  has(name: string): boolean
  readonly value: unknown
}

export function fieldsOf(value: unknown): Fields {
  const get = (name: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
  return {
    value,
    has: (name) => get(name) !== undefined && get(name) !== null,
    text(name) {
      const field = get(name)
      return typeof field === 'string' ? field : undefined
    },
    number(name) {
      const field = get(name)
      return typeof field === 'number' ? field : undefined
    },
    flag(name) {
      const field = get(name)
      return typeof field === 'boolean' ? field : undefined
    },
    fields: (name) => fieldsOf(get(name)),
    items(name) {
      const field = get(name)
      return Array.isArray(field) ? field.map(fieldsOf) : []
    },
  }
}

/** The array of an answer, whether it stands alone or under a name. */
export function itemsOf(value: unknown, name: string): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : fieldsOf(value).items(name)
}
