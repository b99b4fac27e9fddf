/**
 * The look-up a call waits for. No allocation after the first look-up in a layer: keys are rewritten in place, values are copied by
 * lmdb-js into one buffer that a fixed DataView covers.
 *
 * Each look-up reads the newest commit of every process: lmdb-js would keep a read transaction until the next timer, so
 * this takes a transaction of its own and resets it after every read; the native get renews it (lmdb 3.5.6, EnvWrap::getReadTxn).
 * A get in cached pages takes 0.3-0.5 µs with both (0.9-2 µs for random numbers of 10 M), and no idle verdict thread ever holds pages back from the writer. `resetTxn` is
 * not in lmdb's types: it is checked at opening.
 */

import type { Transaction } from 'lmdb'
import * as lmdb from 'lmdb'
import { ScreeningError } from '../../domain/errors.ts'
import { ENTRY_ABSENT, type EntryState, type NumberLookup } from '../../domain/lookup.ts'
import type { PhoneNumber } from '../../domain/phone-number.ts'
import { createDirectoryCache } from './directory-cache.ts'
import { type Database, type Environment, openEnvironment } from './environment.ts'
import { KEY_PREFIX_BYTES, LISTS_SPACE, LIVE_SPACE, makeKey } from './keys.ts'
import { blockStamp, findBlock, stateInBlock } from './layer-format.ts'

export type LmdbLookup = NumberLookup & { close(): Promise<void> }

/**
 * One per thread. The environments given serve the directories and must stay open as long as the look-up is used; values are
 * read through handles of its own: lmdb-js would otherwise share our transaction with other reads and leave it standing.
 */
export function createLookup(dependencies: { live: Environment; lists: Environment }): LmdbLookup {
  const reputations = createReader(dependencies.live.path, makeKey(LIVE_SPACE.reputation, { u64: 0 }))
  const blocks = createReader(dependencies.lists.path, makeKey(LISTS_SPACE.layerNumbers, { u32: 0 }, { u32: 0 }))
  const directories = createDirectoryCache(dependencies.lists)
  return {
    entry(layerId: number, number: PhoneNumber, nowMs: number): EntryState {
      for (let attempt = 0; attempt < 2; attempt++) {
        const directory = directories.get(layerId)
        if (directory === undefined) return ENTRY_ABSENT
        const block = findBlock(directory, number)
        if (block < 0) return ENTRY_ABSENT
        const value = blocks.read(layerId, block)
        if (value !== undefined && blockStamp(value) === directory.stamp) return stateInBlock(value, number, nowMs)
        directories.forget(layerId)
      }
      return ENTRY_ABSENT
    },
    reputation(number: PhoneNumber): DataView | undefined {
      return reputations.read(Math.floor(number / 4_294_967_296), number >>> 0)
    },
    async close() {
      await reputations.close()
      await blocks.close()
    },
  }
}

/** lmdb's types leave the second parameter out. */
type FastGet = (this: Database, key: Buffer, options: { transaction: Transaction }) => Buffer | undefined

type Reader = {
  /** The value under the key whose last eight bytes are these two words; valid until the next read of this thread. */
  read(high: number, low: number): DataView | undefined
  close(): Promise<void>
}

function createReader(path: string, key: Buffer): Reader {
  const { db } = openEnvironment({ path, readOnly: true })
  const words = new DataView(key.buffer, key.byteOffset + KEY_PREFIX_BYTES, 8)
  const resetTransaction = requireReset()
  const transaction = db.useReadTransaction()
  const address = addressOf(transaction)
  const options = { transaction }
  const getFast = db.getBinaryFast as FastGet
  let bytes: Buffer | undefined
  let view: DataView = new DataView(new ArrayBuffer(0))
  resetTransaction(address)
  return {
    read(high, low) {
      words.setUint32(0, high)
      words.setUint32(4, low)
      const found = getFast.call(db, key, options)
      resetTransaction(address)
      if (found === undefined) return undefined
      // lmdb-js hands out the same buffer every time: the view is made once.
      if (found !== bytes) {
        bytes = found
        view = new DataView(found.buffer, found.byteOffset)
      }
      return view
    },
    close() {
      transaction.done()
      return db.close()
    },
  }
}

function requireReset(): (transactionAddress: number) => void {
  const addon: unknown = Reflect.get(lmdb, 'nativeAddon')
  const reset: unknown = typeof addon === 'object' && addon !== null ? Reflect.get(addon, 'resetTxn') : undefined
  if (typeof reset !== 'function') throw unexpectedLmdb()
  return (transactionAddress) => void reset(transactionAddress)
}

function addressOf(transaction: Transaction): number {
  const address: unknown = Reflect.get(transaction, 'address')
  if (typeof address !== 'number' || address === 0) throw unexpectedLmdb()
  return address
}

function unexpectedLmdb(): ScreeningError {
  return new ScreeningError('INTERNAL', 'The installed lmdb is not the version this was built for.', {
    hint: 'Install the dependencies from the lock file.',
  })
}
