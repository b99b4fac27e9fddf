import { DAY_MS, type ReportEvent } from './world.ts'

/** What is compared with: a number is blocked while five people have reported it within ten days. */
export type RawCounting = {
  note(report: ReportEvent): void
  isBlocked(number: string, nowMs: number): boolean
  /** The same with every "not spam" taken off. */
  isBlockedNet(number: string, nowMs: number): boolean
}

const REPORTS = 5
const WINDOW_MS = 10 * DAY_MS

export function createRawCounting(): RawCounting {
  const voices = new Map<string, Map<string, ReportEvent>>()
  const count = (number: string, nowMs: number, opinion: ReportEvent['opinion']) =>
    [...(voices.get(number)?.values() ?? [])].filter(
      (voice) => voice.opinion === opinion && voice.atMs > nowMs - WINDOW_MS,
    ).length
  return {
    note(report) {
      const ofNumber = voices.get(report.number) ?? new Map<string, ReportEvent>()
      voices.set(report.number, ofNumber.set(report.reporter, report))
    },
    isBlocked: (number, nowMs) => count(number, nowMs, 'harm') >= REPORTS,
    isBlockedNet: (number, nowMs) => count(number, nowMs, 'harm') - count(number, nowMs, 'not-spam') >= REPORTS,
  }
}
