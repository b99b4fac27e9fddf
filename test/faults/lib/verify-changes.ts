import { ask, type Target } from './api.ts'
import type { Acknowledged } from './changes.ts'
import { LISTS, numbersIn, SWAPPED, SWAPPED_ROWS } from './numbers.ts'

/** What of the acknowledged is not there. All counts but `checked` must be 0. */
export type Verified = {
  checked: number
  lostReports: number
  lostEntries: number
  lostPolicies: number
  lostReviews: number
  /** The swapped list is neither the one nor the other as a whole. */
  halfImports: number
  /** The swapped list is older than an import has said. */
  staleImports: number
}

type Dossier = { reports: { reportId: string }[]; lists: { list: string }[] }
type Page = { version: number; entries: { number: string }[]; next?: string }

/**
 * Through the API, as a client would look for what it was promised. `mayRenumber`: Redis has lost policies and been offered them
 * again, which gives a text another version when a new policy came in between.
 */
export async function verifyChanges(
  target: Target,
  acknowledged: Acknowledged,
  { mayRenumber = false } = {},
): Promise<Verified> {
  const { reports, entries, policies, reviews } = acknowledged
  const verified: Verified = {
    checked: reports.length + entries.size + policies.length + reviews.length + acknowledged.imports,
    lostReports: 0,
    lostEntries: 0,
    lostPolicies: 0,
    lostReviews: 0,
    halfImports: 0,
    staleImports: 0,
  }
  const known = await knownReports(target, [...new Set(reports.map(({ number }) => number))])
  for (const { number, reportId } of reports) if (!known.get(number)?.has(reportId)) verified.lostReports++
  const written = new Set((await readList(target, LISTS.written)).numbers)
  for (const [number, state] of entries) {
    if (state !== undefined && written.has(number) !== (state === 'added')) verified.lostEntries++
  }
  verified.lostPolicies = await countLostPolicies(target, policies, mayRenumber)
  for (const { reviewId, outcome } of reviews) {
    const review = await ask<{ state: string; outcome?: string }>(target, 'GET', `/v1/reviews/${reviewId}`)
    if (review.state !== 'closed' || review.outcome !== outcome) verified.lostReviews++
  }
  const swapped = await readList(target, SWAPPED)
  verified.halfImports = isWhole(swapped.numbers) ? 0 : 1
  verified.staleImports = swapped.version >= acknowledged.importedVersion ? 0 : 1
  return verified
}

/** Of a service on a busy machine, where a single question waits for its turn most of the time. */
const ASKED_AT_ONCE = 8

/** The ids of the reports of each number. */
async function knownReports(target: Target, numbers: readonly string[]): Promise<Map<string, Set<string>>> {
  const known = new Map<string, Set<string>>()
  const look = async (number: string) => {
    const { reports } = await ask<Dossier>(target, 'GET', `/v1/numbers/${encodeURIComponent(number)}`)
    known.set(number, new Set(reports.map(({ reportId }) => reportId)))
  }
  for (let at = 0; at < numbers.length; at += ASKED_AT_ONCE) {
    await Promise.all(numbers.slice(at, at + ASKED_AT_ONCE).map(look))
  }
  return known
}

export function lostOf(verified: Verified): number {
  const { lostReports, lostEntries, lostPolicies, lostReviews, staleImports } = verified
  return lostReports + lostEntries + lostPolicies + lostReviews + staleImports
}

/** The newest hundred versions are kept at hand. */
const POLICIES_ASKED = 100

async function countLostPolicies(
  target: Target,
  policies: Acknowledged['policies'],
  mayRenumber: boolean,
): Promise<number> {
  if (policies.length === 0) return 0
  const path = `/v1/policy/versions?limit=${POLICIES_ASKED}`
  const { versions } = await ask<{ versions: { version: number; text: string }[] }>(target, 'GET', path)
  const texts = new Map(versions.map(({ version, text }) => [version, text]))
  if (mayRenumber) {
    const known = new Set(texts.values())
    return texts.size === POLICIES_ASKED ? 0 : policies.filter(({ text }) => !known.has(text)).length
  }
  const oldest = Math.min(...texts.keys())
  return policies.filter(({ version, text }) => version >= oldest && texts.get(version) !== text).length
}

async function readList(target: Target, list: string): Promise<{ version: number; numbers: string[] }> {
  const numbers: string[] = []
  for (let after = ''; ; ) {
    const page = await ask<Page>(target, 'GET', `/v1/lists/${list}/entries?limit=10000${after}`)
    for (const { number } of page.entries) numbers.push(number)
    if (page.next === undefined) return { version: page.version, numbers }
    after = `&after=${page.next}`
  }
}

function isWhole(numbers: readonly string[]): boolean {
  const found = new Set(numbers)
  if (found.size !== SWAPPED_ROWS) return false
  return (['a', 'b'] as const).some((rows) => numbersIn(rows, SWAPPED_ROWS).every((number) => found.has(number)))
}
