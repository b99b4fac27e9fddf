import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * The walls. What is not listed is forbidden: a new folder or a new arrow starts here, with a decision record.
 * `src`: folders of src a folder may import besides itself. `packages`: npm packages; `node:` is any built-in module,
 * `node:crypto` just that one. Packages confined to one place stand in FENCED.
 */
const ALLOWED: Record<string, { src: string[]; packages: string[] }> = {
  domain: { src: [], packages: [] },
  shm: { src: ['domain'], packages: [] },
  engine: { src: ['domain', 'shm'], packages: [] },
  config: { src: ['domain'], packages: ['typebox', 'yaml', 'node:'] },
  telemetry: { src: ['domain', 'shm'], packages: ['prom-client', 'pino', 'node:'] },
  stores: { src: ['domain'], packages: ['lmdb', 'node:'] },
  jobs: { src: ['domain', 'shm', 'engine', 'stores'], packages: ['node:'] },
  services: { src: ['domain', 'shm', 'engine', 'stores', 'telemetry', 'jobs'], packages: ['node:crypto', 'yaml'] },
  transports: { src: ['domain', 'engine', 'services', 'telemetry'], packages: ['node:'] },
  processes: { src: ['*'], packages: ['*'] },
  cli: { src: ['*'], packages: ['*'] },
}
const FENCED: Record<string, (file: string) => boolean> = {
  lmdb: (file) => file.startsWith('src/stores/lmdb/'),
  ioredis: (file) => file.startsWith('src/stores/redis/'),
  piscina: (file) => file.startsWith('src/processes/'),
  ws: (file) => file.startsWith('src/transports/data-plane/node'),
  'uws-modern': (file) => file === 'src/transports/data-plane/uws.ts',
  'uws-legacy': (file) => file === 'src/transports/data-plane/uws.ts',
  fastify: (file) => file.startsWith('src/transports/control-plane/'),
}

const FUNCTION_LINES_MAX = 70
const FILE_LINES_MAX = 300
const WORKER_LINES_MAX = 40

const root = path.dirname(import.meta.dirname)
const files = ['src', 'workers']
  .flatMap((folder) => filesBelow(folder))
  .filter((file) => !file.endsWith('.generated.ts'))

function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
}

function importsOf(file: string): string[] {
  const source = readFileSync(path.join(root, file), 'utf8')
  const pattern = /(?:from\s+|import\s*\(\s*|import\s+|require\s*\(\s*)'([^']+)'/g
  return [...source.matchAll(pattern)].map((match) => match[1] ?? '')
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Why an import is not allowed, or undefined. */
function objection(file: string, specifier: string): string | undefined {
  const folder = file.split('/')[1] ?? ''
  const isSource = file.startsWith('src/')
  if (specifier.startsWith('.')) {
    const target = path.join(path.dirname(file), specifier).split(path.sep)
    if (target[0] !== 'src') return isSource ? 'src imports nothing outside src' : undefined
    const allowed = isSource ? ALLOWED[folder]?.src : ['*']
    if (!allowed) return `src/${folder} is not in the table`
    return target[1] === folder || allowed.includes('*') || allowed.includes(target[1] ?? '')
      ? undefined
      : `${folder} may not import ${target[1]}`
  }
  const name = specifier.startsWith('node:') ? specifier : packageName(specifier)
  const fence = FENCED[name]
  if (fence) return fence(file) ? undefined : `${name} is fenced`
  if (!isSource) return undefined
  const packages = ALLOWED[folder]?.packages ?? []
  const inControlPlane = file.startsWith('src/transports/control-plane/')
  if (packages.includes('*') || packages.includes(name) || inControlPlane) return undefined
  return name.startsWith('node:') && packages.includes('node:') ? undefined : `${folder} may not import ${name}`
}

describe('the walls', () => {
  it('finds the source', () => {
    expect(files.length).toBeGreaterThan(50)
  })

  it('lets every folder import only what the table allows', () => {
    const broken = files.flatMap((file) =>
      importsOf(file).flatMap((specifier) => {
        const why = objection(file, specifier)
        return why ? [`${file} imports ${specifier}: ${why}`] : []
      }),
    )
    expect(broken).toEqual([])
  })

  it('reads process.env in src/config alone', () => {
    const readers = files.filter((file) => readFileSync(path.join(root, file), 'utf8').includes('process.env'))
    expect(readers.filter((file) => !file.startsWith('src/config/'))).toEqual([])
  })

  it(`keeps files under ${FILE_LINES_MAX} lines and thread entries under ${WORKER_LINES_MAX}`, () => {
    const long = files.filter((file) => {
      const lines = readFileSync(path.join(root, file), 'utf8').split('\n').length - 1
      return lines > (file.startsWith('workers/') ? WORKER_LINES_MAX : FILE_LINES_MAX)
    })
    expect(long).toEqual([])
  })

  it(`keeps functions under ${FUNCTION_LINES_MAX} lines unless they say why`, () => {
    const long = files.flatMap((file) =>
      longFunctions(readFileSync(path.join(root, file), 'utf8')).map((name) => `${file}: ${name}`),
    )
    expect(long).toEqual([])
  })
})

/** Top-level functions by the formatter's indentation: `function` in column 0 to the closing brace in column 0. */
function longFunctions(source: string): string[] {
  const lines = source.split('\n')
  const long: string[] = []
  for (let i = 0; i < lines.length; i++) {
    const name = /^(?:export )?(?:async )?function\*? (\w+)/.exec(lines[i] ?? '')?.[1]
    // A factory (createX, startX, runX) holds state and several functions: its parts are what must stay short.
    if (!name || /^(?:create|start|run|open)[A-Z]/.test(name)) continue
    const end = lines.findIndex((line, at) => at > i && line === '}')
    if (end - i > FUNCTION_LINES_MAX && !(lines[i - 1] ?? '').includes('biome-ignore'))
      long.push(`${name} (${end - i} lines)`)
  }
  return long
}
