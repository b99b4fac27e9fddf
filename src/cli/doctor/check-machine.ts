import { readFileSync } from 'node:fs'
import os from 'node:os'
import { type AdapterPreference, adapterReport } from '../../transports/data-plane/choose-adapter.ts'
import type { Finding } from './finding.ts'

/** package.json `engines`. */
const NODE_MAJOR_MIN = 20
const NODE_MINOR_MIN = 19
/** Connections a verdict thread accepts by default (10,000), and some for files. */
const FILES_WANTED = 16_384

export function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isSupported = major > NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN)
  const detail = `Node.js ${process.versions.node} on ${process.platform}-${process.arch}, ${os.availableParallelism()} cores`
  if (isSupported) return { name: 'node', status: 'ok', detail }
  return { name: 'node', status: 'fail', detail, hint: `Install Node.js ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or newer.` }
}

export function checkGlibc(): Finding {
  const report: unknown = process.report.getReport()
  const version = textAt(textAt(report, 'header'), 'glibcVersionRuntime')
  if (typeof version === 'string') return { name: 'glibc', status: 'ok', detail: `glibc ${version}` }
  const hint = 'On musl (Alpine) the verdict port runs on node:http, one thread and one process.'
  return { name: 'glibc', status: 'warn', detail: 'no glibc', hint }
}

function textAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

export function checkAdapter(preference: AdapterPreference): Finding {
  const { adapter, version, problem } = adapterReport(preference)
  const detail = adapter === 'uws' ? `uWebSockets.js ${version ?? ''}`.trim() : 'node:http: one thread and one process'
  if (problem === undefined) return { name: 'verdict port', status: 'ok', detail }
  return { name: 'verdict port', status: preference === 'uws' ? 'fail' : 'warn', detail, hint: problem }
}

/** The soft limit of open files: every connection is one. */
export function checkOpenFiles(): Finding {
  const name = 'open files'
  let limits: string
  try {
    limits = readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return { name, status: 'warn', detail: 'unknown on this system', hint: 'See "ulimit -n".' }
  }
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1] ?? '0'
  if (soft === 'unlimited' || Number(soft) >= FILES_WANTED) return { name, status: 'ok', detail: `${soft} allowed` }
  const hint = `Raise it (ulimit -n ${FILES_WANTED}, LimitNOFILE= in systemd): every connection takes one.`
  return { name, status: 'warn', detail: `${soft} allowed`, hint }
}

/** Before this day the clock was never set: windows and expiries would be nonsense. */
const CLOCK_FLOOR_MS = Date.UTC(2025, 0, 1)
/** A switch and a node further apart disagree about deadlines. */
const CLOCK_SKEW_MAX_MS = 2_000

/** `serviceDateMs`: the Date header of a running service, when there is one. */
export function checkClock(nowMs: number, serviceDateMs: number | undefined): Finding {
  const name = 'clock'
  const detail = new Date(nowMs).toISOString()
  if (nowMs < CLOCK_FLOOR_MS)
    return { name, status: 'fail', detail, hint: 'Set the clock: expiries and windows depend on it.' }
  // A Date header has whole seconds.
  const skewMs = serviceDateMs === undefined ? 0 : Math.abs(nowMs - serviceDateMs) - 1_000
  if (skewMs <= CLOCK_SKEW_MAX_MS) return { name, status: 'ok', detail }
  const hint = `The service's clock is ${Math.round(skewMs / 1_000)} s away: run a time service on both machines.`
  return { name, status: 'warn', detail, hint }
}
