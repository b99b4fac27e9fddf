import {
  BLOCK_EVIDENCE_LENGTH,
  BLOCK_SIZES,
  blockStrength,
  createThousandSums,
  HUNDREDS_AT,
  hasBlocks,
  LEVEL_HUNDRED,
  LEVEL_TEN,
  LEVEL_TEN_THOUSAND,
  LEVEL_THOUSAND,
  OWN_GOOD,
  OWN_HARM,
  periodOf,
  TENS_AT,
  THOUSAND_AT,
  weightAt,
} from '../domain/number-block.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import { decayedGood, decayedHarm } from '../domain/reputation.ts'
import { KINDS } from '../domain/reputation-record.ts'
import { type ReputationReads, readThousand } from './build-blocks.ts'

const MINUTE_MS = 60_000
const THOUSAND = BLOCK_SIZES[LEVEL_THOUSAND]
const TEN_THOUSAND = BLOCK_SIZES[LEVEL_TEN_THOUSAND]

/** Where a strength comes from, for people: harm of each block in numbers, decayed, and the number's own in reports. */
export type BlockHarmDescription = {
  /** Thousandths, as blockHarm of shm/block-table.ts gives it. */
  readonly strength: number
  /** By block size: 10, 100, 1,000 and 10,000 numbers. Empty when no number of the 1,000 is reported. */
  readonly blocks: readonly { readonly size: number; readonly harm: number }[]
  readonly ownHarm: number
  readonly ownGood: number
}

/**
 * What blockHarm of shm/block-table.ts says, computed from the records themselves: for explanations, in the control process,
 * which has no table. Reads every reputation among the 10,000 numbers around. The same rounding, so the same integer.
 */
export function blockHarmOf(store: ReputationReads, number: number, ingress: number, nowMs: number): number {
  return describeBlockHarm(store, number, ingress, nowMs).strength
}

/** The same with where it comes from. */
export function describeBlockHarm(
  store: ReputationReads,
  number: number,
  ingress: number,
  nowMs: number,
): BlockHarmDescription {
  if (!hasBlocks(number)) return { strength: 0, blocks: [], ownHarm: 0, ownGood: 0 }
  const record = store.reputationOf(number as PhoneNumber)
  const evidence = new Float64Array(BLOCK_EVIDENCE_LENGTH)
  if (record !== undefined) {
    evidence[OWN_HARM] = decayedHarm(record, ingress, nowMs)
    evidence[OWN_GOOD] = decayedGood(record, ingress, nowMs)
  }
  const hasBlock = addBlocks(store, number, ingress, nowMs, evidence)
  return {
    strength: hasBlock || record !== undefined ? blockStrength(evidence, number) : 0,
    blocks: hasBlock ? BLOCK_SIZES.map((size, level) => ({ size, harm: evidence[level] ?? 0 })) : [],
    ownHarm: evidence[OWN_HARM] ?? 0,
    ownGood: evidence[OWN_GOOD] ?? 0,
  }
}

/** False: no number of the 1,000 is reported. */
function addBlocks(
  store: ReputationReads,
  number: number,
  ingress: number,
  nowMs: number,
  evidence: Float64Array,
): boolean {
  const base = periodOf(nowMs)
  const sums = createThousandSums()
  const first = Math.floor(number / THOUSAND) * THOUSAND
  const firstOfAll = Math.floor(number / TEN_THOUSAND) * TEN_THOUSAND
  let ofAll = 0
  for (let i = 0; i < TEN_THOUSAND / THOUSAND; i++) {
    readThousand(store, firstOfAll + i * THOUSAND, base, sums)
    ofAll += Math.fround(sums.sums[THOUSAND_AT + ingress] ?? 0)
  }
  readThousand(store, first, base, sums)
  if (Math.fround(sums.sums[THOUSAND_AT] ?? 0) === 0) return false
  const ten = TENS_AT + (Math.floor(number / 10) % 100) * KINDS
  const hundred = HUNDREDS_AT + (Math.floor(number / 100) % 10) * KINDS
  const minute = Math.floor(sums.newestMs / MINUTE_MS)
  const now = 1 / weightAt(Math.max(nowMs, minute * MINUTE_MS), base)
  const scaled = (level: number, sum: number) => Math.min(BLOCK_SIZES[level] ?? 0, Math.fround(sum) * now)
  evidence[LEVEL_TEN] = scaled(LEVEL_TEN, sums.sums[ten + ingress] ?? 0)
  evidence[LEVEL_HUNDRED] = scaled(LEVEL_HUNDRED, sums.sums[hundred + ingress] ?? 0)
  evidence[LEVEL_THOUSAND] = scaled(LEVEL_THOUSAND, sums.sums[THOUSAND_AT + ingress] ?? 0)
  evidence[LEVEL_TEN_THOUSAND] = scaled(LEVEL_TEN_THOUSAND, ofAll)
  return true
}
