import { once } from 'node:events'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { PACKAGE_DIRECTORY } from '../../../src/config/package-directory.ts'
import { ask, importList, type Target } from './api.ts'
import { type CallerGroup, type CallsOptions, type CallsTaken, nothingTaken, type ToCalls } from './calls.ts'
import { BUSY, type Changes, type ChangesOptions, startChanges } from './changes.ts'
import { CALLEE, COUNTS, EMERGENCY_CALLEE, LISTS, numberIn, numbersIn, SWAPPED, swappedRows } from './numbers.ts'

/**
 * Knows what must be answered. Callers of known standing ask all the time, while a writer changes what is known; every
 * verdict is judged by what had been acknowledged when its call was sent.
 */
export type Oracle = {
  readonly changes: Changes
  takeCalls(): Promise<CallsTaken>
  /** Ends the writer, and the calls after it. */
  stop(): Promise<void>
}

export type OracleOptions = {
  readonly verdictPort: number
  /** 0: nobody asks. */
  readonly callsPerSecond: number
  readonly connections: number
  readonly sendsDeadline: boolean
  readonly seed: number
  /** False: nothing changes, the calls alone. */
  readonly hasWriter: boolean
  readonly pauseMs?: ChangesOptions['pauseMs']
  readonly reviewsFrom?: number
  /** True: what is recorded may be taken back for a moment and offered again, so a reported number may get any verdict. */
  readonly mayWaver?: boolean
}

/** Below saturation of two cores that the service shares with the asking thread and the writer. */
export const CALLS_PER_SECOND = 500
export const CONNECTIONS = 16

/** As compiled: vitest runs this file as it was written. */
const THREAD = path.join(PACKAGE_DIRECTORY, 'dist', 'test', 'faults', 'lib', 'calls-thread.js')

/** Lists, numbers and reports that the judging rests on. Once for a data directory. */
export async function prepareNode(target: Target): Promise<void> {
  await ask(target, 'PUT', `/v1/lists/${LISTS.listed}`, { kind: 'deny' })
  await ask(target, 'PUT', `/v1/lists/${LISTS.protected}`, { kind: 'protected' })
  await ask(target, 'PUT', `/v1/lists/${LISTS.written}`, { kind: 'deny' })
  await ask(target, 'PUT', `/v1/lists/${LISTS.large}`, { kind: 'deny' })
  await ask(target, 'PUT', `/v1/lists/${SWAPPED}`, { kind: 'deny' })
  await importList(target, LISTS.listed, `${numbersIn('listed', COUNTS.listed).join('\n')}\n`, 'replace')
  const kept = [...numbersIn('protected', COUNTS.protected), ...numbersIn('reviewed', COUNTS.reviewed)]
  await importList(target, LISTS.protected, `${kept.join('\n')}\n`, 'replace')
  await importList(target, SWAPPED, swappedRows('a'), 'replace')
  // Protected callers with every reason to be blocked.
  const suspects = Array.from({ length: PROTECTED_REPORTED }, (_, index) => numberIn('protected', index))
  const reports = suspects.flatMap((number) =>
    Array.from({ length: 6 }, (_, nth) => ({ number, channel: 'hotline', scenario: 'bank', reporter: `p-${nth}` })),
  )
  await Promise.all(reports.map((body) => ask(target, 'POST', '/v1/reports', body)))
}
const PROTECTED_REPORTED = 10

export async function startOracle(options: OracleOptions, target: Target): Promise<Oracle> {
  const reported = Array.from({ length: REPORTED_ASKED }, (_, index) => numberIn('reported', options.seed + index))
  const calls: CallsOptions = {
    host: '127.0.0.1',
    port: options.verdictPort,
    callsPerSecond: options.callsPerSecond,
    connections: options.connections,
    sendsDeadline: options.sendsDeadline,
    run: `f${options.seed}`,
    groups: groupsOf(reported),
  }
  const thread = options.callsPerSecond === 0 ? undefined : new Worker(THREAD, { workerData: calls })
  if (thread !== undefined) await once(thread, 'message')
  const tell = (message: ToCalls) => thread?.postMessage(message)
  const { text } = await ask<{ text: string }>(target, 'GET', '/v1/policy')
  const onReported = (caller: string, isKnown: boolean) =>
    tell(
      isKnown && options.mayWaver !== true
        ? { type: 'known', caller, allowed: ['block'], previous: ['allow', 'flag'] }
        : { type: 'known', caller, allowed: ['allow', 'flag', 'block'], previous: ['allow'] },
    )
  const pauseMs = options.pauseMs ?? BUSY
  const policyText = text.split('\n# written by')[0] ?? text
  const changes = options.hasWriter
    ? startChanges(
        { pauseMs, seed: options.seed, reviewsFrom: options.reviewsFrom ?? 0, onReported },
        target,
        policyText,
      )
    : noChanges()
  return {
    changes,
    async takeCalls() {
      if (thread === undefined) return nothingTaken()
      tell({ type: 'take' })
      const [taken] = await once(thread, 'message')
      return taken as CallsTaken
    },
    async stop() {
      await changes.stop()
      if (thread === undefined) return
      const ended = once(thread, 'exit')
      tell({ type: 'stop' })
      await ended
    },
  }
}

/** As many as are reported in a minute or two: later ones are checked by the writer alone. */
const REPORTED_ASKED = 300

function groupsOf(reported: readonly string[]): CallerGroup[] {
  const group = (name: string, share: number, callers: readonly string[], allowed: CallerGroup['allowed']) => ({
    name,
    share,
    callers,
    allowed,
    callee: CALLEE,
    isNeverBlocked: false,
  })
  return [
    group('clean', 40, numbersIn('clean', COUNTS.clean), ['allow']),
    group('listed', 20, numbersIn('listed', COUNTS.listed), ['block']),
    { ...group('protected', 15, numbersIn('protected', COUNTS.protected), ['allow', 'flag']), isNeverBlocked: true },
    {
      ...group('emergency', 5, numbersIn('listed', COUNTS.listed), ['allow']),
      callee: EMERGENCY_CALLEE,
      isNeverBlocked: true,
    },
    group('reported', 20, reported, ['allow']),
  ]
}

function noChanges(): Changes {
  return {
    acknowledged: { reports: [], entries: new Map(), policies: [], reviews: [], imports: 0, importedVersion: 0 },
    take: () => ({ acknowledged: 0, queued: 0, refused: {}, unanswered: 0, words: [] }),
    stop: async () => {},
  }
}
