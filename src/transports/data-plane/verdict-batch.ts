import { BATCH_EVENTS_MAX, type CallScreening } from './call-screening.ts'
import { type EndProblem, endProblem } from './end-problem.ts'
import { decodeBody, isJsonObject, type JsonObject, MALFORMED, parseJson } from './json-text.ts'
import { type Problem, problemJson, problemResponse } from './problem.ts'
import type { VerdictRequest, VerdictResponse } from './verdict-server.ts'

/** Body limit of a batch: 1,000 events of a kilobyte. */
export const BATCH_BYTES_MAX = 1024 * 1024

const NDJSON_TYPE = 'application/x-ndjson'

type Batch = { readonly isLines: boolean; readonly events: readonly unknown[] }

/**
 * POST /v1/verdicts: answers in the order of the events, in the format of the request. An event that is not an object
 * gets a problem object in its place; the others are answered. Too many events: all are refused, none is counted.
 */
export function verdictsRoute(screening: CallScreening): (request: VerdictRequest) => VerdictResponse {
  return (request) => {
    const { body, receivedMs } = request
    const answered = body === undefined || saysLines(request) ? undefined : screening.answerArray(body, receivedMs)
    if (answered !== undefined) return { status: 200, contentType: 'application/json', body: answered }
    const batch = readBatch(request)
    if ('code' in batch) return problemResponse(batch)
    const answers: string[] = []
    for (const event of batch.events) {
      answers.push(isJsonObject(event) ? screening.answerEvent(event, receivedMs) : problemJson(BAD_EVENT))
    }
    return batch.isLines
      ? { status: 200, contentType: NDJSON_TYPE, body: answers.length === 0 ? '' : `${answers.join('\n')}\n` }
      : { status: 200, contentType: 'application/json', body: `[${answers.join(',')}]` }
  }
}

/**
 * POST /v1/call-ends: one end, an array or lines. One that is not an object refuses the whole body; one with a field of
 * another type is not noted, and the answer counts it by its reason.
 */
export function callEndsRoute(screening: CallScreening): (request: VerdictRequest) => VerdictResponse {
  return (request) => {
    const ended = request.body === undefined ? -1 : screening.endCalls(request.body)
    if (ended >= 0) return accepted(ended, [])
    const batch = readBatch(request, true)
    if ('code' in batch) return problemResponse(batch)
    const ends: JsonObject[] = []
    for (const event of batch.events) {
      if (!isJsonObject(event)) return problemResponse(event === MALFORMED ? BAD_BATCH : BAD_EVENT)
      ends.push(event)
    }
    const refused: EndProblem[] = []
    for (const end of ends) {
      const problem = endProblem(end)
      if (problem === undefined) screening.endCall(end)
      else refused.push(problem)
    }
    if (refused.length > 0) screening.events.callEndsRefused(refused.length)
    return accepted(ends.length - refused.length, refused)
  }
}

function accepted(count: number, refused: readonly EndProblem[]): VerdictResponse {
  const reasons: Partial<Record<EndProblem, number>> = {}
  for (const problem of refused) reasons[problem] = (reasons[problem] ?? 0) + 1
  const answer = { accepted: count, ...(refused.length === 0 ? {} : { refused: refused.length, reasons }) }
  return { status: 200, contentType: 'application/json', body: JSON.stringify(answer) }
}

function readBatch(request: VerdictRequest, isSingleAllowed = false): Batch | Problem {
  const text = request.body === undefined ? '' : decodeBody(request.body)
  if (text === undefined) return BAD_BATCH
  const whole = isSingleAllowed || !isLines(request, text) ? readArray(text, isSingleAllowed) : undefined
  const batch = whole ?? (isLines(request, text) ? readLines(text) : undefined)
  if (batch === undefined) return BAD_BATCH
  return batch.events.length > BATCH_EVENTS_MAX ? TOO_MANY : batch
}

/** The content type decides; one that says neither leaves it to the first character. */
function isLines(request: VerdictRequest, text: string): boolean {
  if (saysLines(request)) return true
  return !request.contentType.toLowerCase().includes('json') && /^\s*[^\s[]/.test(text)
}

function saysLines({ contentType }: VerdictRequest): boolean {
  const type = contentType.toLowerCase()
  return type.includes('ndjson') || type.includes('jsonl')
}

function readArray(text: string, isSingleAllowed: boolean): Batch | undefined {
  const parsed = parseJson(text)
  if (Array.isArray(parsed)) return { isLines: false, events: parsed }
  return isSingleAllowed && isJsonObject(parsed) ? { isLines: false, events: [parsed] } : undefined
}

/** Blank lines are no events; a line that is not JSON is one, and gets a problem in its place. */
function readLines(text: string): Batch {
  const events: unknown[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    // One more than allowed is enough to know.
    if (events.length > BATCH_EVENTS_MAX) break
    events.push(parseJson(line))
  }
  return { isLines: true, events }
}

const BAD_BATCH: Problem = {
  code: 'JSON_MALFORMED',
  detail: 'The body is neither a JSON array of events nor one JSON event a line, in UTF-8.',
  hint: 'Send application/json with an array, or application/x-ndjson with one object a line.',
}
const BAD_EVENT: Problem = {
  code: 'BODY_INVALID',
  detail: 'An event is not a JSON object.',
  hint: 'Every event is an object as for POST /v1/verdict or /v1/call-ends.',
}
const TOO_MANY: Problem = {
  code: 'BODY_TOO_LARGE',
  detail: `The batch holds more than ${BATCH_EVENTS_MAX} events.`,
  hint: `Send at most ${BATCH_EVENTS_MAX} events at once.`,
}
