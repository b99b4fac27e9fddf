/**
 * Queries arrive as text. Where the schema of a route asks for an integer, a number or a boolean, exactly written ones
 * become values; anything else stays text and is refused by validation. Bodies are never converted: "1" is not 1 there.
 */
export function convertQuery(query: Record<string, unknown>, schema: unknown): void {
  const properties = propertiesOf(schema)
  for (const [name, value] of Object.entries(query)) {
    if (typeof value !== 'string' || !Object.hasOwn(properties, name)) continue
    const type = typeOf(properties[name])
    if (type === 'integer' && /^-?\d{1,15}$/.test(value)) query[name] = Number(value)
    if (type === 'number' && /^-?\d{1,15}(?:\.\d{1,9})?$/.test(value)) query[name] = Number(value)
    if (type === 'boolean' && (value === 'true' || value === 'false')) query[name] = value === 'true'
  }
}

function propertiesOf(schema: unknown): Record<string, unknown> {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return {}
  const { properties } = schema
  return typeof properties === 'object' && properties !== null ? { ...properties } : {}
}

function typeOf(schema: unknown): unknown {
  return typeof schema === 'object' && schema !== null && 'type' in schema ? schema.type : undefined
}
