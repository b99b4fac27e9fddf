import { ScreeningError } from '../domain/errors.ts'
import type { Fact, FactKind } from './fact.ts'

/** The newest; grows when a node of before would read a fact wrongly. */
const FACT_FORMAT = 2
/**
 * Kinds that a node of format 1 would read wrongly: it would take "not spam" for harm, count a household as many reporters,
 * forget what a review decided about reporters, and find their rows damaged. It stops at the first of them until it is
 * upgraded, and catches up then. The other kinds are as they were.
 */
const CHANGED: ReadonlySet<FactKind> = new Set<FactKind>(['report', 'review-close', 'desk-rows'])

const KINDS: Readonly<Record<FactKind, true>> = {
  report: true,
  'list-put': true,
  'list-stage': true,
  'list-activate': true,
  'numbering-put': true,
  'policy-put': true,
  'review-open': true,
  'review-close': true,
  audit: true,
  'desk-rows': true,
}

/** UTF-8 JSON: a fact is read by every node, by whichever version runs there, and by people who look into Redis. */
export function encodeFact(fact: Fact): Buffer {
  return Buffer.from(JSON.stringify({ v: CHANGED.has(fact.kind) ? FACT_FORMAT : 1, ...fact }))
}

/**
 * Throws STORAGE_FORMAT for a fact that a newer version wrote, RECORD_DAMAGED for bytes that are no fact. The fields of a
 * kind are not looked at: a fact that cannot be applied is refused when it is applied, on every node.
 */
export function decodeFact(payload: Buffer): Fact {
  const value = parse(payload)
  if (value === undefined || typeof value.v !== 'number' || typeof value.kind !== 'string') throw damaged()
  const { v, ...fact } = value
  if (v > FACT_FORMAT || !Object.hasOwn(KINDS, value.kind)) {
    throw new ScreeningError(
      'STORAGE_FORMAT',
      `The record has a fact of format ${v}, kind ${value.kind.slice(0, 40)}.`,
      {
        hint: 'A newer Zaslon wrote it: upgrade this node. Until then it goes on from what it has.',
      },
    )
  }
  if (v < 1 || !Number.isInteger(v) || typeof fact.actor !== 'string' || !Number.isFinite(fact.atMs)) throw damaged()
  return fact as unknown as Fact
}

function parse(payload: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function damaged(): ScreeningError {
  return new ScreeningError('RECORD_DAMAGED', 'An entry of the record is no fact.')
}
