import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment } from '../config/environment.ts'
import { ScreeningError } from '../domain/errors.ts'
import { dataDirectoryAt } from '../stores/data-directory.ts'
import { createLogger } from '../telemetry/logger.ts'
import { type AdapterReport, adapterReport } from '../transports/data-plane/choose-adapter.ts'
import { ensurePortFree } from '../transports/data-plane/port-check.ts'
import { endLeftBehind, findLeftBehind, isRunning, isStopped, LEFT_BEHIND_MS, type LeftBehind } from './left-behind.ts'
import type { Role } from './supervised-child.ts'
import { createSupervision, type SupervisionOptions } from './supervision.ts'

/**
 * `zaslon serve`: one control process and the verdict processes, started, watched and started again. The unit of failure
 * is the process (docs/adr/0001): nothing inside a process tries to survive what a restart mends in a second.
 */

/** A service that is just ending gives its port back in milliseconds, unless it is at work on a gate. */
const PORT_WAIT_MS = 3_000
const PORT_RETRY_MS = 50
const PORT_ASK_MS = 500

/** Runs until SIGINT or SIGTERM; resolves with the exit code. */
export async function runSupervisor(options: SupervisionOptions): Promise<number> {
  const log = createLogger({ level: options.config.log.level, process: 'supervisor' })
  const adapter = adapterReport(options.config.verdict.adapter)
  const verdict = fitToAdapter(options.config.verdict, adapter, log)
  const config = { ...options.config, verdict }
  const directory = dataDirectoryAt(config.dataDirectory)
  const problem = existsSync(directory.gates) ? undefined : await portProblem(config, log)
  if (problem !== undefined) {
    log.error({ why: `${problem.code}: ${problem.message}`, hint: problem.details.hint }, 'cannot start')
    return 1
  }
  const leftBehind = findLeftBehind(directory, { ...verdict, adapter: adapter.adapter })
  if (leftBehind.length > 0) {
    log.warn({ pids: leftBehind.map(({ pid }) => pid) }, 'verdict processes of a killed supervisor serve; taking over')
  }
  const supervision = createSupervision(
    {
      ...options,
      config,
      onReady(addresses) {
        endLeftBehind(leftBehind)
        options.onReady?.(addresses)
      },
    },
    {
      fork: forkEntry,
      awaitVerdictPort: () => takePort(verdict, { leftBehind, canShare: adapter.canSharePort }, log),
      isStopped: (pid) => isStopped({ pid }),
      log,
    },
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => supervision.stop())
  return supervision.run()
}

type VerdictConfig = SupervisionOptions['config']['verdict']
type PortLog = { info(text: string): void }

/** One process with one thread where the adapter cannot share the port: a slower service, but one that starts. */
export function fitToAdapter(
  verdict: VerdictConfig,
  { canSharePort, problem }: AdapterReport,
  log: { warn(fields: object, text: string): void },
): VerdictConfig {
  if (canSharePort || verdict.processes * verdict.threads === 1) return verdict
  const { processes, threads } = verdict
  log.warn(
    { processes, threads, problem },
    'node:http cannot share the verdict port: one process with one thread serves',
  )
  return { ...verdict, processes: 1, threads: 1 }
}

/**
 * What a first start would fail for once control has made and filled its data directory: nobody would find a first start
 * there the next time. A later start has its control ask for the port when the one before has let go of the directory.
 */
async function portProblem(
  { admin, verdict }: SupervisionOptions['config'],
  log: PortLog,
): Promise<ScreeningError | undefined> {
  try {
    await ensurePortFree(admin.host, admin.port, 'ADMIN')
    await awaitPort(verdict, log)
  } catch (error) {
    if (error instanceof ScreeningError) return error
    throw error
  }
  return undefined
}

function isPortInUse(error: unknown): error is ScreeningError {
  return error instanceof ScreeningError && error.code === 'PORT_IN_USE'
}

/** Resolves when verdict processes may listen: beside those that serve the same until ours do, or on a port that is free. */
function takePort(
  verdict: VerdictConfig,
  { leftBehind, canShare }: { leftBehind: readonly LeftBehind[]; canShare: boolean },
  log: PortLog,
): Promise<void> {
  const serving = leftBehind.filter(isRunning)
  const canGoOn = (one: LeftBehind) => one.isAlike && !isStopped(one)
  if (canShare && serving.length > 0 && serving.every(canGoOn)) return Promise.resolve()
  endLeftBehind(serving)
  return awaitPort(verdict, log)
}

/**
 * Resolves when the verdict port is free, and at once when it is meant to be shared. Verdict threads share a port with
 * whoever is there, so a second service would take half of the calls unnoticed: nobody but us can ask.
 */
async function awaitPort({ host, port, sharePort }: VerdictConfig, log: PortLog): Promise<void> {
  if (sharePort) return
  const startMs = Date.now()
  let waitMs = PORT_WAIT_MS
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await ensurePortFree(host, port)
    } catch (error) {
      if (!isPortInUse(error) || Date.now() - startMs > waitMs) throw error
      if (isFirst) log.info('the verdict port is in use; waiting in case a service before this one is just ending')
      if (waitMs === PORT_WAIT_MS && (await isUnsupervised(host, port))) waitMs += LEFT_BEHIND_MS
      await new Promise((resolve) => setTimeout(resolve, PORT_RETRY_MS))
    }
  }
}

/** Whether who listens there is a verdict process that ends soon, of another data directory. */
async function isUnsupervised(host: string, port: number): Promise<boolean> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  try {
    const response = await fetch(`http://${authority}/health/ready`, { signal: AbortSignal.timeout(PORT_ASK_MS) })
    const health: unknown = await response.json()
    return typeof health === 'object' && health !== null && 'unsupervised' in health
  } catch {
    return false
  }
}

/**
 * Pages of 2 MiB for tables of shared memory, where the kernel has them (glibc 2.35, Linux "madvise"): a call touches tens of
 * places, and a third of its waiting is for tables of small pages. Tables are touched before calls come (touchPages), so
 * that no call waits until such a page is cleared.
 */
const LARGE_PAGES = 'glibc.malloc.hugetlb=1'

function forkEntry(role: Role): ChildProcess {
  const entry = path.join(path.dirname(fileURLToPath(import.meta.url)), `${role}-entry.js`)
  const env = role === 'verdict' ? { GLIBC_TUNABLES: LARGE_PAGES, ...environment } : environment
  const child = fork(entry, [], { serialization: 'advanced', env })
  if (role === 'control' && child.pid !== undefined) preferToKill(child.pid)
  return child
}

/** Half of the memory there is, in thousandths: more than verdict processes with all their gates hold beyond control. */
const OOM_SCORE = 500

/**
 * When memory runs out, the kernel kills control: its imports are what needs more, it is started again, and calls are
 * answered meanwhile. Left to itself the kernel takes the largest process, which is one that answers calls.
 */
function preferToKill(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(OOM_SCORE))
  } catch {
    // Not Linux, or the process has ended already: nothing depends on it.
  }
}
