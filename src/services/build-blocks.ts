import {
  addToThousand,
  clearThousandSums,
  createThousandSums,
  hasBlocks,
  type ThousandSums,
} from '../domain/number-block.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { BlockTable } from '../shm/block-table.ts'
import { writeThousand } from '../shm/block-table-writer.ts'
import type { VerdictStore } from '../stores/ports.ts'
import { nextTurn } from './scan-rows.ts'

/**
 * Keeps a block table (shm/block-table.ts) as the reputations of the record are. Nothing is stored for it: at the start every
 * reputation is read once, and a number that changes has the records of its block of 1,000 read again. Reading again
 * instead of adding up means that a change seen twice, late or in another order leaves the same table.
 */
export type BlockBuilder = {
  /**
   * Reads all reputations, in slices that leave the event loop its turns: about 5 µs a number. Until it resolves the table
   * says too little, never too much, so nobody needs to wait for it.
   */
  start(): Promise<void>
  /** A number's reputation has changed: its blocks follow within a few turns of the event loop. */
  changed(number: number): void
  /** Resolves when every change said so far is in the table. */
  settled(): Promise<void>
  close(): void
}

export type BlockBuilderDependencies = {
  readonly store: ReputationReads
  readonly table: BlockTable
  /** The record cannot be read. */
  readonly onFailure: (error: unknown) => void
}

export type ReputationReads = Pick<VerdictStore, 'readReputationNumbers' | 'reputationOf'>

/** Numbers read before the event loop gets a turn: some 10 ms. */
const NUMBERS_PER_TURN = 2_048
/** Blocks that wait to be read again. Beyond it everything is read again, which costs less than remembering more. */
const CHANGED_MAX = 65_536
/** Reported numbers lie thinly: most blocks of 1,000 have one or two, dense ones some hundreds. */
const NUMBERS_PER_FIRST_READ = 8
const NUMBERS_PER_READ = 256

const THOUSAND = 1_000

export function createBlockBuilder(dependencies: BlockBuilderDependencies): BlockBuilder {
  const { store, table } = dependencies
  const sums = createThousandSums()
  /** First numbers of blocks to be read again. */
  const changed = new Set<number>()
  let wantsAll = false
  let working: Promise<void> | undefined
  let closed = false

  async function readAll(): Promise<void> {
    const page = new Float64Array(NUMBERS_PER_TURN)
    let after = 0
    // A block that may go on in the next page is read with that one: a page has room for two.
    for (;;) {
      const count = store.readReputationNumbers(after, page)
      const isEnd = count < page.length
      const end = isEnd ? count : lastBlockStart(page, count)
      addPage(page, end)
      if (isEnd || closed) return
      after = page[end - 1] ?? after
      await nextTurn()
      if (closed) return
    }
  }

  /** Whole blocks, ascending. */
  function addPage(page: Float64Array, count: number): void {
    let first = -1
    for (let i = 0; i < count; i++) {
      const number = page[i] ?? 0
      if (!hasBlocks(number)) continue
      if (firstOf(number) !== first) {
        if (first >= 0) writeThousand(table, first, sums)
        first = firstOf(number)
        clearThousandSums(sums)
      }
      addNumber(sums, store, number, table.base)
    }
    if (first >= 0) writeThousand(table, first, sums)
  }

  /** Returns how many numbers the block has. */
  function readBlock(first: number): number {
    const count = readThousand(store, first, table.base, sums)
    writeThousand(table, first, sums)
    return count
  }

  async function catchUp(): Promise<void> {
    try {
      // Whoever has said a change may have more to say before this turn ends.
      await nextTurn()
      while ((wantsAll || changed.size > 0) && !closed) {
        if (wantsAll) {
          wantsAll = false
          changed.clear()
          await readAll()
        } else await readChanged()
      }
    } catch (error) {
      dependencies.onFailure(error)
    } finally {
      working = undefined
    }
  }

  async function readChanged(): Promise<void> {
    let count = 0
    for (const first of changed) {
      changed.delete(first)
      count += NUMBERS_PER_FIRST_READ + readBlock(first)
      if (count >= NUMBERS_PER_TURN) break
    }
    await nextTurn()
  }

  function work(): Promise<void> {
    working ??= catchUp()
    return working
  }

  return {
    start() {
      wantsAll = true
      return work()
    },
    changed(number) {
      if (closed || !hasBlocks(number)) return
      if (changed.size >= CHANGED_MAX) wantsAll = true
      else changed.add(firstOf(number))
      void work()
    },
    async settled() {
      await working
    },
    close() {
      closed = true
    },
  }
}

/**
 * Reads the records of the block of 1,000 numbers that begins at `first` into `into`, relative to period `base`. Returns how
 * many there are.
 */
export function readThousand(store: ReputationReads, first: number, base: number, into: ThousandSums): number {
  let page = new Float64Array(NUMBERS_PER_FIRST_READ)
  const last = first + THOUSAND - 1
  let after = first - 1
  let total = 0
  clearThousandSums(into)
  for (;;) {
    const count = store.readReputationNumbers(after, page)
    for (let i = 0; i < count; i++) {
      const number = page[i] ?? 0
      if (number > last) return total
      addNumber(into, store, number, base)
      total++
      after = number
    }
    if (count < page.length) return total
    if (page.length < NUMBERS_PER_READ) page = new Float64Array(NUMBERS_PER_READ)
  }
}

function addNumber(into: ThousandSums, store: ReputationReads, number: number, base: number): void {
  // What readReputationNumbers gives was stored as a PhoneNumber.
  const record = store.reputationOf(number as PhoneNumber)
  if (record !== undefined) addToThousand(into, number, record, base)
}

function firstOf(number: number): number {
  return Math.floor(number / THOUSAND) * THOUSAND
}

/** Index of the first number of the last block in a full page: that block may go on. */
function lastBlockStart(page: Float64Array, count: number): number {
  const first = firstOf(page[count - 1] ?? 0)
  let start = count
  while (start > 0 && (page[start - 1] ?? 0) >= first) start--
  return start
}
