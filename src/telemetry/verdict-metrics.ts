import { Counter, Gauge, type Registry } from 'prom-client'
import { COUNTER_NAMES } from '../shm/counters.ts'
import { type BehaviourState, createBehaviourMetrics } from './behaviour-metrics.ts'
import { ageSeconds } from './shared-record-metrics.ts'

/**
 * What a verdict process tells about itself when asked; the threads' counters are added up already. The label is one of at
 * most 32: verdict-1, verdict-2, …
 */
export type VerdictProcessState = BehaviourState & {
  readonly adapter: string
  readonly threads: number
  /** Sequence up to which every number of every change is in the gates; and up to which all changes are in force. */
  readonly seen: number
  readonly inForce: number
  /** The last moment of which every change is in force, epoch milliseconds; 0: not known since the process started. */
  readonly freshMs: number
  /** Sum over threads, COUNTER_NAMES order. */
  readonly counters: Float64Array
  readonly globalGateBytes: number
  readonly globalGateNumbers: number
  readonly decisionLog: { readonly written: number; readonly lost: number }
  readonly uptimeSeconds: number
  readonly memoryBytes: number
}

export type VerdictMetrics = { update(processes: readonly VerdictProcessState[], nowMs: number): void }

/** Plain counters that need more words than their name; any other counter gets a plain sentence. */
const HELP: Readonly<Record<string, string>> = {
  'recent-calls.hits': 'Calls answered from the memory of recent calls.',
  'gate.misses': 'Look-ups the global gate answered alone: certainly unknown.',
  'gate.hits': 'Look-ups the global gate passed on: the number may be known.',
  'gate.false-hits': 'Gate hits that nothing confirmed; they cost time, never a verdict.',
  'decisions.lost': 'Sampled decisions the full ring refused.',
  'decisions.lost-important': 'Blocks, flags and overloads the full ring refused. Should be 0.',
  'verdicts.overloaded': 'Calls answered without evidence: late, or more than a WebSocket may have on the way.',
  'call-ends.refused': 'Call ends not counted because a field was of another type than the wire says.',
  'connections.refused': 'Connections closed at once because a thread had verdict.connectionsMax of them.',
  'verdicts.not-ready': 'Calls answered allow because nothing was loaded yet.',
}

type Family = { readonly counter: Counter<string>; readonly label?: string; readonly value?: string }

/**
 * The verdict processes' counters as Prometheus sees them. One time series per process: after a restart a process counts
 * from zero, which Prometheus understands of a series, but not of a sum.
 */
export function createVerdictMetrics(registry: Registry): VerdictMetrics {
  const counterNamed = createCounterFactory(registry)
  const families = COUNTER_NAMES.map((name) => familyOf(name, counterNamed))
  const counters = [...new Set(families.flatMap((family) => (family === undefined ? [] : [family.counter])))]
  const gauges = createGauges(registry)
  const behaviour = createBehaviourMetrics(registry)
  return {
    update(processes, nowMs) {
      for (const counter of counters) counter.reset()
      for (const state of processes) {
        for (const [index, family] of families.entries()) {
          if (family === undefined) continue
          const labels: Record<string, string> = { process: state.label }
          if (family.label !== undefined && family.value !== undefined) labels[family.label] = family.value
          family.counter.inc(labels, state.counters[index] ?? 0)
        }
      }
      gauges.update(processes, nowMs)
      behaviour.update(processes, nowMs)
    },
  }
}

type CounterFactory = (name: string, help: string, label?: string) => Counter<string>

function familyOf(name: string, counterNamed: CounterFactory): Family | undefined {
  const [group = '', ...rest] = name.split('.')
  const value = rest.join('.')
  if (group === 'decision-time') return undefined
  if (group === 'reasons') {
    const help = 'Reasons given, by code; a verdict may have several.'
    return { counter: counterNamed('zaslon_reasons_total', help, 'code'), label: 'code', value }
  }
  if (group === 'verdicts' && ['allow', 'flag', 'block'].includes(value)) {
    const help = 'Verdicts given, by decision.'
    return { counter: counterNamed('zaslon_verdicts_total', help, 'decision'), label: 'decision', value }
  }
  const metric = `zaslon_${name.replaceAll(/[^a-z0-9]+/g, '_')}_total`
  return { counter: counterNamed(metric, HELP[name] ?? `Count of ${name.replaceAll(/[.-]/g, ' ')}.`) }
}

/** One counter per name: all reasons share one, told apart by a label. */
function createCounterFactory(registry: Registry): CounterFactory {
  const known = new Map<string, Counter<string>>()
  return (name, help, label) => {
    let counter = known.get(name)
    if (counter === undefined) {
      const labelNames = label === undefined ? ['process'] : ['process', label]
      counter = new Counter({ name, help, labelNames, registers: [registry] })
      known.set(name, counter)
    }
    return counter
  }
}

function createGauges(registry: Registry): VerdictMetrics {
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] })
  const up = gauge('zaslon_verdict_processes', 'Verdict processes that answer.', [])
  const threads = gauge('zaslon_verdict_threads', 'Verdict threads of a process.', ['process', 'adapter'])
  const inForce = gauge('zaslon_verdict_in_force_sequence', 'Change log position in force in every thread.', [
    'process',
  ])
  const stale = gauge(
    'zaslon_verdict_staleness_seconds',
    'Age of the state verdicts are given on: how long a change waits to be in force.',
    ['process'],
  )
  const ratio = gauge('zaslon_gate_false_hit_ratio', 'Share of unknown numbers the gate did not recognise as such.', [
    'process',
  ])
  const gateBytes = gauge('zaslon_gate_bytes', 'Memory of the global gate.', ['process'])
  const gateNumbers = gauge('zaslon_gate_numbers', 'Numbers in the global gate.', ['process'])
  const memory = gauge('zaslon_verdict_memory_bytes', 'Resident memory of a verdict process, memory maps included.', [
    'process',
  ])
  const uptime = gauge('zaslon_verdict_uptime_seconds', 'Time since a verdict process started.', ['process'])
  const all = [threads, inForce, stale, ratio, gateBytes, gateNumbers, memory, uptime]
  return {
    update(processes, nowMs) {
      for (const one of all) one.reset()
      up.set(processes.length)
      for (const state of processes) {
        const labels = { process: state.label }
        threads.set({ ...labels, adapter: state.adapter }, state.threads)
        inForce.set(labels, state.inForce)
        stale.set(labels, ageSeconds(state.freshMs, nowMs))
        ratio.set(labels, falseHitRatio(state.counters))
        gateBytes.set(labels, state.globalGateBytes)
        gateNumbers.set(labels, state.globalGateNumbers)
        memory.set(labels, state.memoryBytes)
        uptime.set(labels, state.uptimeSeconds)
      }
    },
  }
}

const MISSES_INDEX = COUNTER_NAMES.indexOf('gate.misses')
const FALSE_HITS_INDEX = COUNTER_NAMES.indexOf('gate.false-hits')

/** Of all numbers nothing is known about, the share that cost a look-up in the store; 0 when none was asked. */
function falseHitRatio(counters: Float64Array): number {
  const falseHits = counters[FALSE_HITS_INDEX] ?? 0
  const unknown = falseHits + (counters[MISSES_INDEX] ?? 0)
  return unknown === 0 ? 0 : falseHits / unknown
}
