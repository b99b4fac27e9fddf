import { existsSync, readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { environment } from './environment.ts'

/** Where a client of this node finds it. No trailing slashes. */
export type ClientConfig = {
  readonly adminUrl: string
  readonly verdictUrl: string
  readonly apiKey?: string
  /** The shell wants no colours (https://no-color.org): any value but the empty one. */
  readonly noColor: boolean
}

/**
 * Environment over zaslon.yaml over defaults: the same addresses the service reads, or whole URLs in ZASLON_URL and
 * ZASLON_VERDICT_URL. Lenient where the service is strict, because a client may stand on another machine: a file that
 * cannot be read counts as absent, and a wildcard address means this machine.
 */
export function readClientConfig(variables: Readonly<Record<string, string | undefined>> = environment): ClientConfig {
  const file = readFile(variables.ZASLON_CONFIG || 'zaslon.yaml')
  const url = (plane: 'admin' | 'verdict', defaultPort: string) => {
    const prefix = `ZASLON_${plane.toUpperCase()}`
    const host = variables[`${prefix}_HOST`] || textAt(file, plane, 'host') || '127.0.0.1'
    const port = variables[`${prefix}_PORT`] || textAt(file, plane, 'port') || defaultPort
    return `http://${reachable(host)}:${port}`
  }
  const apiKey = variables.ZASLON_API_KEY
  return {
    adminUrl: withoutSlash(variables.ZASLON_URL || url('admin', '8080')),
    verdictUrl: withoutSlash(variables.ZASLON_VERDICT_URL || url('verdict', '8090')),
    noColor: Boolean(variables.NO_COLOR),
    ...(apiKey ? { apiKey } : {}),
  }
}

/** An address to listen on as an address to connect to. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

function readFile(name: string): unknown {
  try {
    return existsSync(name) ? parseYaml(readFileSync(name, 'utf8')) : undefined
  } catch {
    return undefined
  }
}

function textAt(file: unknown, section: string, key: string): string | undefined {
  if (typeof file !== 'object' || file === null) return undefined
  const inner: unknown = Reflect.get(file, section)
  if (typeof inner !== 'object' || inner === null) return undefined
  const value: unknown = Reflect.get(inner, key)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
