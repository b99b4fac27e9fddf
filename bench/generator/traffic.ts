/**
 * Calls as a network sees them, in any form a switch sends them, for the load generator.
 *
 * ```
 *   of 200 calls: 196 of callers nobody knows · 2 between numbers that have talked · 1 of a listed caller · 1 of a reported one
 * ```
 * and an end for each call, some time after it. Nothing comes twice: call ids, callers and callees go on from cycle to cycle.
 */
import { BINARY_VERSION, REQUEST_RECORD_BYTES, REQUEST_TYPE } from '../../src/transports/data-plane/binary-records.ts'
import type { Patch, PatchValue, TrafficRequest } from './traffic-file.ts'

/** Where numbers of a kind begin, as indexes of generatedNumber; listed ones begin at 0. */
export const POOLS = {
  unknown: { first: 500_000_000, range: 5_000_000 },
  callees: { first: 600_000_000, range: 5_000_000 },
  // No factor in common with PER_THOUSAND, or the few places of a thousand that are theirs would be the same few callers for ever.
  reported: { first: 700_000_000, range: 997 },
  contacts: { first: 800_000_000, range: 997 },
  contacted: { first: 810_000_000, range: 997 },
} as const

export type CallMix = {
  /** Numbers on the deny list; 0: nobody is listed. */
  readonly listed: number
  /** Share of callers that are listed; 0.005 when missing. */
  readonly listedShare?: number
  /** Ends too; true when missing. */
  readonly hasEnds?: boolean
  /** Every call says that its answer is of no use so long after it was meant to be sent. */
  readonly deadlineMs?: number
  /** Callers nobody knows, who call as many callees; as POOLS says when missing, 10^7 at most. */
  readonly activeCallers?: number
}

/** Enough that the processor's caches hold nothing of the one before; to write so many takes a second of a core, and a quick run writes thirty files. */
export const EVENTS = process.argv.includes('--quick') ? 25_000 : 100_000
/** Ends come so many calls after their call. */
const END_LAG = 2_000
const ENDS_PER_BODY = 100
const PER_THOUSAND = 1_000

type Kind = 'unknown' | 'contact' | 'listed' | 'reported'

function kindOf(event: number, { listed, listedShare = 0.005 }: CallMix): Kind {
  // Evenly, and not all at once: 387 has no factor in common with a thousand.
  const place = (event * 387) % PER_THOUSAND
  if (listed > 0 && place < Math.round(listedShare * PER_THOUSAND)) return 'listed'
  if (listedShare > 0.5 || place < 985) return 'unknown'
  return place < 995 ? 'contact' : 'reported'
}

type Numbers = { readonly caller: Pool; readonly callee: Pool }
type Pool = { readonly first: number; readonly range: number; readonly stride: number }

function numbersOf(kind: Kind, { listed, activeCallers }: CallMix): Numbers {
  // One callee more than callers: nobody calls the same one again and again.
  const calleeRange = activeCallers === undefined ? POOLS.callees.range : activeCallers + 1
  const anyCallee = { first: POOLS.callees.first, range: calleeRange, stride: 104_729 }
  switch (kind) {
    case 'listed':
      return { caller: { first: 0, range: listed, stride: 7_919 }, callee: anyCallee }
    case 'reported':
      return { caller: { ...POOLS.reported, stride: 1 }, callee: anyCallee }
    case 'contact':
      return { caller: { ...POOLS.contacts, stride: 1 }, callee: { ...POOLS.contacted, stride: 1 } }
    default:
      return {
        caller: { first: POOLS.unknown.first, range: activeCallers ?? POOLS.unknown.range, stride: 7_919 },
        callee: anyCallee,
      }
  }
}

/** How a call of an event ended: seven in ten are answered. */
function endOf(event: number): { answered: boolean; ringMs: number; talkMs: number } {
  const answered = event % 10 < 7
  return { answered, ringMs: 4_000 + (event % 7) * 1_000, talkMs: answered ? 15_000 + (event % 50) * 2_000 : 0 }
}

/** A text of ASCII whose marks are filled in for each sending. */
class Template {
  private text = ''
  private readonly patches: Patch[] = []

  add(text: string): this {
    this.text += text
    return this
  }

  patch(event: number, value: PatchValue, width: number): this {
    this.patches.push({ offset: this.text.length, event, ...value })
    this.text += '0'.repeat(width)
    return this
  }

  /** With a head before it, whose length the patches move by. */
  request(head: (bodyBytes: number) => Buffer, calls: number, isAnswered = true): TrafficRequest {
    const body = Buffer.from(this.text)
    const before = head(body.length)
    const patches = this.patches.map((patch) => ({ ...patch, offset: patch.offset + before.length }))
    return { bytes: Buffer.concat([before, body]), patches, calls, isAnswered }
  }
}

function addCall(template: Template, event: number, mix: CallMix): Template {
  const { caller, callee } = numbersOf(kindOf(event, mix), mix)
  template.add('"callId":"a84b4c76e66710-').patch(event, { kind: 'decimal' }, 12)
  template.add('@192.0.2.1","caller":"+79').patch(event, { kind: 'digits', ...caller }, 9)
  template.add('","callee":"+79').patch(event, { kind: 'digits', ...callee }, 9)
  template.add('","ingress":{"trunk":"msk-1","kind":"national"}')
  if (mix.deadlineMs !== undefined) {
    template.add(',"deadlineAt":').patch(event, { kind: 'deadlineDigits', afterMs: mix.deadlineMs }, 13)
  }
  return template
}

function addEnd(template: Template, event: number, mix: CallMix): Template {
  const ended = event - END_LAG
  const { caller, callee } = numbersOf(kindOf(ended < 0 ? ended + EVENTS : ended, mix), mix)
  const { answered, ringMs, talkMs } = endOf(event)
  template.add('"callId":"a84b4c76e66710-').patch(ended, { kind: 'decimal' }, 12)
  template.add('@192.0.2.1","caller":"+79').patch(ended, { kind: 'digits', ...caller }, 9)
  template.add('","callee":"+79').patch(ended, { kind: 'digits', ...callee }, 9)
  return template.add(`","answered":${answered},"ringMs":${ringMs},"talkMs":${talkMs}`)
}

function head(line: string, bodyBytes?: number): Buffer {
  const body = bodyBytes === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${bodyBytes}\r\n`
  return Buffer.from(`${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n${body}\r\n`)
}

/** After every hundred calls a body with a hundred ends. */
function withEnds(mix: CallMix, request: (event: number) => TrafficRequest): TrafficRequest[] {
  const requests: TrafficRequest[] = []
  for (let event = 0; event < EVENTS; event++) {
    requests.push(request(event))
    if (mix.hasEnds === false || event % ENDS_PER_BODY !== ENDS_PER_BODY - 1) continue
    const ends = new Template().add('[')
    for (let ended = event - ENDS_PER_BODY + 1; ended <= event; ended++) {
      addEnd(ends.add(ended > event - ENDS_PER_BODY + 1 ? ',{' : '{'), ended, mix).add('}')
    }
    requests.push(ends.add(']').request((bytes) => head('POST /v1/call-ends', bytes), 0))
  }
  return requests
}

export function postTraffic(mix: CallMix): TrafficRequest[] {
  const post = (event: number) =>
    addCall(new Template().add('{'), event, mix)
      .add('}')
      .request((bytes) => head('POST /v1/verdict', bytes), 1)
  return withEnds(mix, post)
}

export function getTraffic(mix: CallMix): TrafficRequest[] {
  const get = (event: number) => {
    const { caller, callee } = numbersOf(kindOf(event, mix), mix)
    return new Template()
      .add('GET /v1/verdict?caller=%2B79')
      .patch(event, { kind: 'digits', ...caller }, 9)
      .add('&callee=%2B79')
      .patch(event, { kind: 'digits', ...callee }, 9)
      .add('&kind=national&callId=a84b4c76e66710-')
      .patch(event, { kind: 'decimal' }, 12)
      .add(head('').toString())
      .request(() => Buffer.alloc(0), 1)
  }
  return withEnds(mix, get)
}

/** POST /v1/verdicts of so many calls each. */
export function batchTraffic(mix: CallMix, calls: number): TrafficRequest[] {
  const requests: TrafficRequest[] = []
  for (let first = 0; first + calls <= EVENTS; first += calls) {
    const body = new Template().add('[')
    const ends = new Template().add('[')
    for (let event = first; event < first + calls; event++) {
      const comma = event > first ? ',{' : '{'
      addCall(body.add(comma), event, mix).add('}')
      addEnd(ends.add(comma), event, mix).add('}')
    }
    requests.push(body.add(']').request((bytes) => head('POST /v1/verdicts', bytes), calls))
    if (mix.hasEnds !== false) requests.push(ends.add(']').request((bytes) => head('POST /v1/call-ends', bytes), 0))
  }
  return requests
}

/** zaslon.json.v1: a frame for each call, and one for each end, which gets no answer. */
export function socketJsonTraffic(mix: CallMix): TrafficRequest[] {
  const requests: TrafficRequest[] = []
  for (let event = 0; event < EVENTS; event++) {
    const call = addCall(new Template().add('{"type":"call",'), event, mix).add('}')
    requests.push(call.request((bytes) => frameHead(OPCODE.text, bytes), 1))
    if (mix.hasEnds === false) continue
    const end = addEnd(new Template().add('{"type":"end",'), event, mix).add('}')
    requests.push(end.request((bytes) => frameHead(OPCODE.text, bytes), 0, false))
  }
  return requests
}

/** zaslon.bin.v1: frames of so many calls, each followed by one of as many ends, which gets no answer. */
export function socketBinaryTraffic(mix: CallMix, calls: number): TrafficRequest[] {
  const requests: TrafficRequest[] = []
  for (let first = 0; first + calls <= EVENTS; first += calls) {
    requests.push(binaryFrame(first, calls, mix, false))
    if (mix.hasEnds !== false) requests.push(binaryFrame(first, calls, mix, true))
  }
  return requests
}

const NATIONAL = 2

function binaryFrame(first: number, calls: number, mix: CallMix, isEnds: boolean): TrafficRequest {
  const start = frameHead(OPCODE.binary, calls * REQUEST_RECORD_BYTES)
  const bytes = Buffer.concat([start, Buffer.alloc(calls * REQUEST_RECORD_BYTES)])
  const patches: Patch[] = []
  for (let index = 0; index < calls; index++) {
    const event = isEnds ? first + index - END_LAG : first + index
    const { caller, callee } = numbersOf(kindOf(event < 0 ? event + EVENTS : event, mix), mix)
    const at = start.length + index * REQUEST_RECORD_BYTES
    bytes.writeUInt8(BINARY_VERSION, at)
    bytes.writeUInt8(isEnds ? REQUEST_TYPE.end : REQUEST_TYPE.call, at + 1)
    bytes.writeUInt32LE(index, at + 4)
    patches.push({ offset: at + 8, event, kind: 'number', ...caller })
    patches.push({ offset: at + 16, event, kind: 'number', ...callee })
    patches.push({ offset: at + 32, event, kind: 'hash' })
    if (isEnds) {
      const { answered, ringMs, talkMs } = endOf(first + index)
      bytes.writeUInt32LE(ringMs, at + 24)
      bytes.writeUInt32LE(talkMs, at + 28)
      bytes.writeUInt8(Number(answered), at + 40)
    } else {
      bytes.writeUInt8(NATIONAL, at + 3)
      if (mix.deadlineMs !== undefined) {
        patches.push({ offset: at + 48, event, kind: 'deadline', afterMs: mix.deadlineMs })
      }
    }
  }
  return { bytes, patches, calls: isEnds ? 0 : calls, isAnswered: !isEnds }
}

const OPCODE = { text: 1, binary: 2 } as const

/**
 * The head of a client's frame (RFC 6455 section 5.2), masked with four zeros, which change nothing: the server
 * unmasks as ever, and the generator need not mask. A client on an open network must choose its masks at random.
 */
function frameHead(opcode: number, bytes: number): Buffer {
  const mask = Buffer.alloc(4)
  if (bytes < 126) return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | bytes), mask])
  if (bytes < 65_536) return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | 126, bytes >> 8, bytes & 255), mask])
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(bytes))
  return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | 127), length, mask])
}
