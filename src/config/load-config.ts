import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import * as Value from 'typebox/value'
import { parse as parseYaml } from 'yaml'
import { type FieldError, ScreeningError } from '../domain/errors.ts'
import { PACKAGE_DIRECTORY } from './package-directory.ts'
import { CONFIG_SCHEMA, type Config } from './schema.ts'

/** A node's configuration with what follows from it. */
export type LoadedConfig = Config & {
  /** True when neither environment nor file names a data directory: only then may samples be loaded. */
  readonly isDefaultDataDirectory: boolean
}

/** Text that is no such value goes on as text, for the schema to refuse with its own words. */
const READ_TEXT = {
  text: (text: string) => text,
  integer: (text: string) => (/^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text),
  boolean: (text: string) => ({ true: true, false: false })[text.trim()] ?? text,
} as const

/** Environment variable, path in the configuration, and what its text stands for. */
const ENVIRONMENT: readonly (readonly [string, string, keyof typeof READ_TEXT])[] = [
  ['ZASLON_DATA_DIR', '/dataDirectory', 'text'],
  ['ZASLON_HOME_COUNTRY', '/homeCountry', 'text'],
  ['ZASLON_TIME_ZONE', '/timeZone', 'text'],
  ['ZASLON_PSEUDONYM_KEY_FILE', '/pseudonymKeyFile', 'text'],
  ['ZASLON_REDIS_URL', '/redis/url', 'text'],
  ['ZASLON_REDIS_CA_FILE', '/redis/caFile', 'text'],
  ['ZASLON_VERDICT_HOST', '/verdict/host', 'text'],
  ['ZASLON_VERDICT_PORT', '/verdict/port', 'integer'],
  ['ZASLON_VERDICT_SHARE_PORT', '/verdict/sharePort', 'boolean'],
  ['ZASLON_VERDICT_PROCESSES', '/verdict/processes', 'integer'],
  ['ZASLON_THREADS', '/verdict/threads', 'integer'],
  ['ZASLON_VERDICT_ADAPTER', '/verdict/adapter', 'text'],
  ['ZASLON_SAMPLE_ONE_IN', '/verdict/sampleOneIn', 'integer'],
  ['ZASLON_ADMIN_HOST', '/admin/host', 'text'],
  ['ZASLON_ADMIN_PORT', '/admin/port', 'integer'],
  ['ZASLON_LOG_LEVEL', '/log/level', 'text'],
]

/**
 * Environment over file over defaults, checked as a whole. Throws CONFIG_INVALID with every mistake at once, each naming
 * the variable or key it came from. `environment` is process.env in production (src/config/environment.ts).
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>, file?: string): LoadedConfig {
  const fileName = file ?? environment.ZASLON_CONFIG
  const document = readDocument(fileName)
  for (const [variable, pointer, kind] of ENVIRONMENT) {
    const text = environment[variable]
    if (text === undefined || text === '') continue
    setPointer(document, pointer, READ_TEXT[kind](text))
  }
  const value = Value.Default(CONFIG_SCHEMA, document)
  if (!Value.Check(CONFIG_SCHEMA, value)) throw invalid(explain(value))
  const problems = checkTogether(value)
  if (problems.length > 0) throw invalid(problems)
  const isDefaultDataDirectory = value.dataDirectory === ''
  const dataDirectory = isDefaultDataDirectory ? path.join(PACKAGE_DIRECTORY, 'var') : path.resolve(value.dataDirectory)
  return { ...value, dataDirectory, isDefaultDataDirectory }
}

/** Is this address reachable from this machine only? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

function readDocument(fileName: string | undefined): Record<string, unknown> {
  const name = fileName ?? path.resolve('zaslon.yaml')
  if (fileName === undefined && !existsSync(name)) return {}
  try {
    const parsed: unknown = parseYaml(readFileSync(name, 'utf8')) ?? {}
    if (typeof parsed === 'object' && !Array.isArray(parsed)) return parsed as Record<string, unknown>
  } catch (cause) {
    throw new ScreeningError('CONFIG_INVALID', `The configuration file ${name} cannot be read as YAML.`, {}, { cause })
  }
  throw new ScreeningError('CONFIG_INVALID', `The configuration file ${name} must hold a mapping of keys.`)
}

function setPointer(document: Record<string, unknown>, pointer: string, value: unknown): void {
  const keys = pointer.slice(1).split('/')
  const last = keys.pop() ?? ''
  let at = document
  for (const key of keys) {
    const inner = at[key]
    const next = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
    at[key] = next
    at = next
  }
  at[last] = value
}

function explain(value: unknown): FieldError[] {
  const errors: FieldError[] = []
  for (const error of Value.Errors(CONFIG_SCHEMA, value)) {
    if (error.keyword === 'additionalProperties') continue
    const pointer = error.instancePath === '' ? '/' : error.instancePath
    const variable = ENVIRONMENT.find(([, path]) => path === pointer)?.[0]
    const what = error.keyword === 'boolean' ? 'is not a known key' : error.message
    errors.push({ pointer, detail: `${pointer}${variable ? ` (${variable})` : ''} ${what}.` })
  }
  return errors
}

/** Rules that join several keys. */
function checkTogether(config: Config): FieldError[] {
  const problems: FieldError[] = []
  const exposed = [
    ['/verdict/host', config.verdict.host, ['switch', 'admin']],
    ['/admin/host', config.admin.host, ['agent', 'analyst', 'admin']],
  ] as const
  for (const [pointer, host, roles] of exposed) {
    const isGuarded = config.keys.some((key) => (roles as readonly string[]).includes(key.role))
    if (!isLoopback(host) && !isGuarded) {
      const detail = `${pointer} is ${host}, which others can reach, but no key with role ${roles.join(' or ')} is configured: add one or use 127.0.0.1.`
      problems.push({ pointer, detail })
    }
  }
  if ((config.redis.certFile === '') !== (config.redis.keyFile === '')) {
    problems.push({ pointer: '/redis/keyFile', detail: '/redis/certFile and /redis/keyFile go together.' })
  }
  if (
    config.verdict.port !== 0 &&
    config.verdict.port === config.admin.port &&
    config.verdict.host === config.admin.host
  ) {
    problems.push({ pointer: '/admin/port', detail: 'The verdict port and the control port must differ.' })
  }
  if (config.verdict.port === 0 && config.verdict.processes * config.verdict.threads > 1) {
    problems.push({
      pointer: '/verdict/port',
      detail: 'Port 0 gives every thread a port of its own: use it with one thread.',
    })
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: config.timeZone })
  } catch {
    problems.push({ pointer: '/timeZone', detail: `/timeZone must be an IANA time zone, got ${config.timeZone}.` })
  }
  problems.push(...duplicates(config.keys, '/keys'), ...duplicates(config.trunks, '/trunks'))
  return problems
}

function duplicates(items: readonly { name: string }[], pointer: string): FieldError[] {
  const seen = new Set<string>()
  const problems: FieldError[] = []
  for (const [index, { name }] of items.entries()) {
    if (seen.has(name))
      problems.push({ pointer: `${pointer}/${index}/name`, detail: `${pointer} names ${name} twice.` })
    seen.add(name)
  }
  return problems
}

function invalid(errors: FieldError[]): ScreeningError {
  const message = `The configuration is not valid. ${errors.map((error) => error.detail).join(' ')}`
  return new ScreeningError('CONFIG_INVALID', message, { errors, hint: 'docs/OPERATIONS.md lists every key.' })
}
