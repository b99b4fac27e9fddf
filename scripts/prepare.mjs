// Installs and builds what is missing, once, whoever asks first: the others wait. Uses Node alone, for it runs before
// anything is installed. `prepare()` is a no-op when node_modules is present and dist/ was built from these sources.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const LOCK = path.join(root, '.prepare.lock')
const STAMP = path.join(root, 'dist', '.built-from')
const SOURCES = [
  'src',
  'workers',
  'bench',
  'test',
  'scripts/prepare.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
]
/** Below these lies what commands write: it builds nothing. */
const WRITTEN = ['bench/results', 'bench/baselines'].map((name) => path.join(root, name))
/** An install on a slow line; a lock older than this was left by a process that died with its machine. */
const LOCK_STALE_MS = 15 * 60_000
/** Who waits shall see that it waits. */
const SAY_EVERY_MS = 10_000

export async function prepare() {
  await withLock(async () => {
    if (!existsSync(path.join(root, 'node_modules', 'fastify'))) {
      say('installing dependencies (npm ci) …')
      run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'])
    }
    const stamp = sourcesStamp()
    if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return
    say('building …')
    rmSync(STAMP, { force: true })
    run(process.execPath, [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')])
    await bundleVerdictThread()
    // tsc writes 0644; npx and npm link run the file itself, and set the bit only when they first meet it.
    chmodSync(path.join(root, 'dist', 'src', 'cli', 'main.js'), 0o755)
    writeFileSync(STAMP, stamp)
  })
}

/**
 * The verdict thread as one module with its constants written out: V8 looks at each name that comes from another module
 * again and again, which is an eighth of a decision (docs/PERFORMANCE.md). Not minified; the source map leads to dist/.
 */
async function bundleVerdictThread() {
  const { rolldown } = await import('rolldown')
  const bundle = await rolldown({
    input: path.join(root, 'dist', 'workers', 'verdict.js'),
    platform: 'node',
    external: (id) => !id.startsWith('.') && !path.isAbsolute(id),
    optimization: { inlineConst: { mode: 'all', pass: 3 } },
  })
  await bundle.write({
    file: path.join(root, 'dist', 'workers', 'verdict.bundle.js'),
    codeSplitting: false,
    sourcemap: true,
  })
  await bundle.close()
}

function say(text) {
  process.stderr.write(`zaslon: ${text}\n`)
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (result.status === 0) return
  say(`${path.basename(command)} ${args[0]} failed${result.error ? `: ${result.error.message}` : ''}`)
  rmSync(LOCK, { force: true, recursive: true })
  process.exit(1)
}

/** Names and contents of all that goes into dist/: whenever and wherever it was checked out. */
function sourcesStamp() {
  const hash = createHash('sha256').update(process.version)
  for (const source of SOURCES) {
    for (const file of filesBelow(path.join(root, source))) {
      hash.update(`${path.relative(root, file)}\0`).update(readFileSync(file))
    }
  }
  return hash.digest('hex')
}

function filesBelow(place) {
  if (!existsSync(place) || WRITTEN.includes(place)) return []
  if (!statSync(place).isDirectory()) return [place]
  const names = readdirSync(place).filter((name) => name !== 'fixtures' || !place.endsWith(`${path.sep}test`))
  return names.sort().flatMap((name) => filesBelow(path.join(place, name)))
}

/** A directory is made atomically, so it is the lock; it names its owner, and a dead owner holds nothing. */
async function withLock(work) {
  const startedMs = Date.now()
  let saidMs = 0
  for (;;) {
    try {
      mkdirSync(LOCK)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isStale()) rmSync(LOCK, { force: true, recursive: true })
    else if (Date.now() - saidMs >= SAY_EVERY_MS) {
      saidMs = Date.now()
      say(`${holderOfLock()} installs or builds here; waiting for it (${Math.round((saidMs - startedMs) / 1_000)} s)`)
    }
    await sleep(200)
  }
  try {
    writeFileSync(path.join(LOCK, 'pid'), String(process.pid))
    await work()
  } finally {
    rmSync(LOCK, { force: true, recursive: true })
  }
}

function holderOfLock() {
  try {
    return `process ${Number(readFileSync(path.join(LOCK, 'pid'), 'utf8'))}`
  } catch {
    return 'another process'
  }
}

function isStale() {
  try {
    const pid = Number(readFileSync(path.join(LOCK, 'pid'), 'utf8'))
    process.kill(pid, 0)
    return Date.now() - statSync(LOCK).mtimeMs > LOCK_STALE_MS
  } catch (error) {
    if (error.code === 'ESRCH') return true
    // The owner has not written its name yet, or the lock has just gone.
    return existsSync(LOCK) && Date.now() - statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs > 5_000
  }
}
