import { createRegion, HEADER_BYTES, magicOf, openRegion, type RegionFormat } from './layout.ts'

/**
 * How a verdict process is: how current the state is that its threads decide from, and whether each of them moves.
 *
 * The first three words are doubles, written by the process's main thread and read by every thread for /health/ready; each is
 * written whole, a reader may see one newer than another, which is harmless. Behind them is one word per thread, written
 * by that thread alone, which the main thread finds changed as long as the thread's event loop turns.
 */
export type NodeHealth = { readonly values: Float64Array; readonly beats: Uint32Array }

const FRESH_MS = 0
const SEQUENCE = 1
const UNSUPERVISED = 2
const VALUES = 3
const BEATS_OFFSET = HEADER_BYTES + VALUES * 8
const FORMAT: RegionFormat = {
  name: 'node health',
  magic: magicOf('ZHLT'),
  version: 3,
  regionBytes: (threads) => BEATS_OFFSET + threads * 4,
}

export function createNodeHealth(threads: number): SharedArrayBuffer {
  return createRegion(FORMAT, threads)
}

export function openNodeHealth(memory: SharedArrayBuffer): NodeHealth {
  const threads = openRegion(FORMAT, memory)
  return {
    values: new Float64Array(memory, HEADER_BYTES, VALUES),
    beats: new Uint32Array(memory, BEATS_OFFSET, threads),
  }
}

/** `freshMs`: the last moment of which every change is in force, epoch milliseconds; `sequence`: the last change seen. */
export function setNodeHealth({ values }: NodeHealth, freshMs: number, sequence: number): void {
  values[FRESH_MS] = freshMs
  values[SEQUENCE] = sequence
}

/** The supervisor is gone, and nobody will start this process again. */
export function setUnsupervised({ values }: NodeHealth): void {
  values[UNSUPERVISED] = 1
}

export function nodeHealth({ values }: NodeHealth): { freshMs: number; sequence: number; isUnsupervised: boolean } {
  return { freshMs: values[FRESH_MS] ?? 0, sequence: values[SEQUENCE] ?? 0, isUnsupervised: values[UNSUPERVISED] === 1 }
}

/** Says that the thread moves. Only that thread may call it. */
export function beatThread({ beats }: NodeHealth, thread: number): void {
  beats[thread] = beats[thread]! + 1
}
