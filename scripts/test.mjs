// npm test: installs what is missing (Debian packages too, as root), builds, runs every suite, and ends with one line:
// `N passed, N failed, N skipped`, summed over all of them.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { prepare, root } from './prepare.mjs'

/** A program some suites need, the Debian package that has it, and which suites are skipped without it. */
const PROGRAMS = [
  [
    'kamailio',
    ['kamailio', 'kamailio-utils-modules', 'kamailio-json-modules', 'kamailio-extra-modules'],
    'the real SIP proxy',
  ],
  ['sipp', ['sip-tester'], 'the real SIP proxy'],
  ['redis-server', ['redis-server'], 'Redis and Redis Cluster'],
  ['openssl', ['openssl'], 'Redis with TLS'],
  ['promtool', ['prometheus'], 'metric names and alert rules'],
]

const total = { passed: 0, failed: 0, skipped: 0 }
installPrograms()
await prepare()
check('biome', ['node_modules/@biomejs/biome/bin/biome', 'check', '.'])
check('knip', ['node_modules/knip/bin/knip.js'])
runVitest()
process.stdout.write(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}\n`,
)
process.exit(total.failed > 0 ? 1 : 0)

function installPrograms() {
  const missing = PROGRAMS.filter(([program]) => !isInstalled(program))
  if (missing.length === 0) return
  const packages = missing.flatMap(([, names]) => names)
  if (process.getuid?.() === 0 && isInstalled('apt-get')) {
    process.stderr.write(`zaslon: apt-get install ${packages.join(' ')} …\n`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 2], env })
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 2],
      env,
    })
  }
  for (const [program, names, suites] of missing) {
    if (isInstalled(program)) continue
    process.stderr.write(`zaslon: ${program} is missing (Debian: ${names.join(' ')}); skipped: ${suites}\n`)
  }
}

function isInstalled(program) {
  const places = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  return places.some((place) => place !== '' && existsSync(path.join(place, program)))
}

/** A tool that passes or fails as a whole counts as one test. */
function check(name, args) {
  const result = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  total[result.status === 0 ? 'passed' : 'failed']++
  if (result.status !== 0) process.stderr.write(`zaslon: ${name} failed\n`)
}

function runVitest() {
  const report = path.join(os.tmpdir(), `zaslon-vitest-${process.pid}.json`)
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]
  const result = spawnSync(process.execPath, [...args, ...process.argv.slice(2)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (!existsSync(report)) {
    total.failed++
    return
  }
  const summary = JSON.parse(readFileSync(report, 'utf8'))
  rmSync(report)
  total.passed += summary.numPassedTests
  total.failed += summary.numFailedTests
  total.skipped += summary.numPendingTests + summary.numTodoTests
  // A suite that could not be loaded, or an unhandled error between tests, is a failure that no test shows.
  if (result.status !== 0 && summary.numFailedTests === 0) total.failed++
}
