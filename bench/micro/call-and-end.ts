/**
 * What a call and its end cost a verdict thread in the forms a switch may send them, without sockets: the real handler over the
 * real screener, memory of the default sizes, and calls as bench/generator sends them, of 5 M callers to 5 M callees, so that every
 * table is full and hardly any line of memory is in a cache. An end follows its call by 2,048 calls.
 *
 *   npm run build && GLIBC_TUNABLES=glibc.malloc.hugetlb=1 node dist/bench/micro/call-and-end.js [--quick]
 *
 * Nanoseconds a call and an end, least and median of the rounds, the forms in turn. The tunable is what the supervisor gives a verdict
 * process; modules are as tsc makes them, where a verdict thread has them in one file.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inlineFurther } from '../../src/processes/inline-further.ts'
import { drainRecords } from '../../src/shm/decision-ring.ts'
import { rotatePairs } from '../../src/shm/pairs.ts'
import { addHeader, createRequestHead } from '../../src/transports/data-plane/request-head.ts'
import { VERDICT_PATH } from '../../src/transports/data-plane/verdict-http.ts'
import type { VerdictSocket } from '../../src/transports/data-plane/verdict-server.ts'
import { machine } from '../lib/record-result.ts'
import { round, summarize } from '../lib/stats.ts'
import { bareHandler, fail } from './bare-handler.ts'
import { fillStore, numbersOf, openScreeningLoad, type Scale } from './screening-load.ts'

inlineFurther() // as a verdict process does
const SCALE: Scale = { listed: 1_000_000, reported: 1_000, active: 10_000 }
const ROUNDS = process.argv.includes('--quick') ? 15 : 41
const CALLS_PER_ROUND = 8_192
const WARM_CALLS = 600_000
const CALLERS = 5_000_000
const END_LAG = 2_048
/** No factor in common with the 1,000 that shares are taken of. */
const CONTACTS = 997
const ENDS_PER_BODY = 128
/** Real time of so many calls at the rate of a busy core. */
const CALLS_PER_MS = 128

const directory = mkdtempSync(path.join(tmpdir(), 'zaslon-bench-call-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
await fillStore(directory, SCALE)
let nowMs = Date.now()
const { screener, behaviour, ring, close } = await openScreeningLoad(directory, SCALE, nowMs, true)
const handler = bareHandler(screener, () => nowMs)

let sink = 0
const socket: VerdictSocket = {
  subprotocol: 'zaslon.bin.v1',
  send(data) {
    sink += data.length
    return true
  },
  close: (_code, reason) => fail(reason),
}
handler.socketOpened(socket)

const numbers = numbersOf(SCALE)
/** Of 1,000 calls 5 are of listed callers, 10 between numbers that have talked, 5 of reported callers. */
function callerAndCallee(event: number): readonly [number, number] {
  const callee = 79_600_000_000 + ((event * 104_729) % CALLERS)
  const place = (event * 387) % 1_000
  if (place < 5) return [numbers.listed(event), callee]
  if (place >= 995) return [numbers.reported(event), callee]
  if (place >= 985) return [79_800_000_000 + (event % CONTACTS), 79_810_000_000 + (event % CONTACTS)]
  return [79_500_000_000 + ((event * 7_919) % CALLERS), callee]
}

const isAnswered = (event: number) => event % 10 < 7
const talkMsOf = (event: number) => (isAnswered(event) ? 15_000 + (event % 50) * 2_000 : 0)

function record(event: number, isEnd: boolean): Buffer {
  const [caller, callee] = callerAndCallee(event)
  const bytes = Buffer.alloc(64)
  bytes.set([1, isEnd ? 2 : 1])
  bytes.writeDoubleLE(caller, 8)
  bytes.writeDoubleLE(callee, 16)
  bytes.writeInt32LE(Math.imul(event + 1, 0x9e3779b1), 32)
  bytes.writeInt32LE(event + 1, 36)
  if (!isEnd) return bytes.fill(2, 3, 4) // national
  bytes.writeUInt32LE(5_000, 24)
  bytes.writeUInt32LE(talkMsOf(event), 28)
  return bytes.fill(Number(isAnswered(event)), 40, 41)
}

function text(event: number, isEnd: boolean): string {
  const [caller, callee] = callerAndCallee(event)
  const rest = isEnd
    ? `"answered":${isAnswered(event)},"ringMs":5000,"talkMs":${talkMsOf(event)}`
    : '"ingress":{"trunk":"trunk-1","kind":"national"}'
  return `{"callId":"a84b4c76e66710-${event}@192.0.2.1","caller":"+${caller}","callee":"+${callee}",${rest}}`
}

function post(body: Buffer, to: string): void {
  const head = createRequestHead('POST', to, '')
  addHeader(head, 'host', '127.0.0.1:8090')
  addHeader(head, 'content-type', 'application/json')
  addHeader(head, 'content-length', String(body.length))
  if (handler.refuse(head) !== undefined) fail('refused')
  head.body = body
  head.receivedMs = nowMs
  sink += handler.handle(head).body.length
}

type Form = {
  /** Calls and ends to a message. */
  readonly calls: number
  readonly ends: number
  readonly encode: (events: readonly number[], isEnd: boolean) => Buffer
  readonly send: (message: Buffer, isEnd: boolean) => void
}
const binary = (size: number): Form => ({
  calls: size,
  ends: size,
  encode: (events, isEnd) => Buffer.concat(events.map((event) => record(event, isEnd))),
  send: (message) => handler.socketMessage(socket, message, true, nowMs),
})
const FORMS: Readonly<Record<string, Form>> = {
  'binary, 256 a frame': binary(256),
  'binary, 1 a frame': binary(1),
  'POST, ends 128 a body': {
    calls: 1,
    ends: ENDS_PER_BODY,
    encode: (events, isEnd) =>
      Buffer.from(isEnd ? `[${events.map((event) => text(event, true)).join(',')}]` : text(events[0] ?? 0, false)),
    send: (message, isEnd) => post(message, isEnd ? '/v1/call-ends' : VERDICT_PATH),
  },
}

let event = END_LAG
const drained = new Uint8Array(8_192 * 128)

/** Sends the messages, and returns the nanoseconds an event. */
function timed(messages: readonly Buffer[], events: number, send: Form['send'], isEnd: boolean): number {
  const start = process.hrtime.bigint()
  for (const message of messages) send(message, isEnd)
  return Number(process.hrtime.bigint() - start) / events
}

/** Calls and ends in turn, some hundreds of each at a time. */
function run({ calls, ends, encode, send }: Form): { call: number; end: number } {
  const step = 256
  const messages = (first: number, size: number, isEnd: boolean) =>
    Array.from({ length: step / size }, (_, i) =>
      encode(
        Array.from({ length: size }, (__, at) => first + i * size + at),
        isEnd,
      ),
    )
  const steps = Array.from({ length: CALLS_PER_ROUND / step }, (_, i) => ({
    calls: messages(event + i * step, calls, false),
    ends: messages(event + i * step - END_LAG, ends, true),
  }))
  event += CALLS_PER_ROUND
  rotatePairs(behaviour.pairs, nowMs)
  let call = 0
  let end = 0
  for (const events of steps) {
    nowMs += step / CALLS_PER_MS
    call += timed(events.calls, step, send, false) / steps.length
    end += timed(events.ends, step, send, true) / steps.length
  }
  drainRecords(ring, drained)
  return { call, end }
}

const forms = Object.entries(FORMS)
for (let done = 0; done < WARM_CALLS; done += CALLS_PER_ROUND * forms.length) for (const [, form] of forms) run(form)
const times = new Map(forms.map(([name]) => [name, [] as { call: number; end: number }[]]))
for (let turn = 0; turn < ROUNDS; turn++) for (const [name, form] of forms) times.get(name)?.push(run(form))

const results = [...times].map(([form, rounds]) => {
  const call = summarize(rounds.map((ns) => ns.call))
  const end = summarize(rounds.map((ns) => ns.end))
  const both = summarize(rounds.map((ns) => ns.call + ns.end))
  return {
    form,
    callMinNs: round(call.min),
    callMedianNs: round(call.median),
    endMinNs: round(end.min),
    endMedianNs: round(end.median),
    bothMinNs: round(both.min),
    bothMedianNs: round(both.median),
  }
})
console.table(results)
console.log(JSON.stringify({ bench: 'call-and-end', rounds: ROUNDS, results, sink: sink > 0, ...machine() }))
await close()
