/** Everything in the record but reports, as rows: to begin a record in Redis with what a node has. */
import { ScreeningError } from '../../domain/errors.ts'
import type { FactBody, FactOf } from '../fact.ts'
import { COUNTERS_KEY } from './counters.ts'
import type { Environment } from './environment.ts'
import { LIVE_SPACE, makeKey } from './keys.ts'
import { LIVE_FORMAT_VERSION } from './live-format.ts'
import { policyVersionIn } from './policies.ts'
import type { WriteSet } from './write-set.ts'

const DESK_SPACES = [
  LIVE_SPACE.list,
  LIVE_SPACE.listVersion,
  LIVE_SPACE.numberingPlan,
  LIVE_SPACE.policyVersion,
  LIVE_SPACE.review,
  LIVE_SPACE.newestReview,
  LIVE_SPACE.openReview,
  LIVE_SPACE.closedReview,
  LIVE_SPACE.reporterOutcomes,
]

const DESK_PREFIXES = DESK_SPACES.map((space) => makeKey(space))

/** Keys and values of a fact: a third more as base64, and a page of the reader holds hundreds of them. */
const FACT_BYTES = 16_384
/** What LMDB takes. */
const KEY_BYTES_MAX = 1_978

/** At least one fact, also when there are no rows: it replaces what was there. */
export function* deskFacts(environment: Environment): Generator<Extract<FactBody, { kind: 'desk-rows' }>> {
  let rows: [string, string][] = []
  let bytes = 0
  let isFirst = true
  const fact = () => ({ kind: 'desk-rows', format: LIVE_FORMAT_VERSION, isFirst, rows }) as const
  for (const [key, value] of deskRows(environment)) {
    rows.push([key.toString('base64'), value.toString('base64')])
    bytes += key.length + value.length
    if (bytes < FACT_BYTES) continue
    yield fact()
    isFirst = false
    rows = []
    bytes = 0
  }
  if (isFirst || rows.length > 0) yield fact()
}

/** Throws STORAGE_FORMAT for rows of another format, RECORD_DAMAGED for rows of anything but the desk. */
export function putDeskRows(
  environment: Environment,
  writes: WriteSet,
  { format, isFirst, rows, actor }: FactOf<'desk-rows'>,
): undefined {
  if (format !== LIVE_FORMAT_VERSION) {
    throw new ScreeningError(
      'STORAGE_FORMAT',
      `Rows of format ${format} were found, this Zaslon has v${LIVE_FORMAT_VERSION}.`,
    )
  }
  const decoded = rows.map(([key, value]) => [deskKey(key), Buffer.from(value, 'base64')] as const)
  if (isFirst) for (const [key] of deskRows(environment)) writes.remove(key)
  for (const [key, value] of decoded) writes.put(key, value)
  // A snapshot made anew shows lists, numbering and policy as they are now.
  writes.change({ kind: 'policy', version: policyVersionIn(environment) })
  if (isFirst) writes.audit(actor, 'record.restore', 'desk')
}

function deskKey(text: string): Buffer {
  const key = Buffer.from(text, 'base64')
  const isOurs = DESK_PREFIXES.some(
    (prefix) => key.length > prefix.length && key.subarray(0, prefix.length).equals(prefix),
  )
  if ((isOurs && key.length <= KEY_BYTES_MAX) || key.equals(COUNTERS_KEY)) return key
  throw new ScreeningError('RECORD_DAMAGED', 'A fact with rows of the desk has a row of something else.', {
    hint: 'Nothing of the fact was applied, on any node. When the desk lacks rows: zaslon record restore where it has them.',
  })
}

/** Keys and values are copies. */
export function deskRows(environment: Environment): [Buffer, Buffer][] {
  const found: [Buffer, Buffer][] = []
  for (const space of DESK_SPACES) {
    environment.scan({ prefix: makeKey(space), limit: Number.MAX_SAFE_INTEGER }, (key, value) => {
      found.push([Buffer.from(key), Buffer.from(value)])
    })
  }
  const counters = environment.bytes(COUNTERS_KEY)
  if (counters !== undefined) found.push([COUNTERS_KEY, Buffer.from(counters)])
  return found
}
