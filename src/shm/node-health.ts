import { createRegion, HEADER_BYTES, magicOf, openRegion, type RegionFormat } from './layout.ts'

/**
 * How current the state is that verdict threads decide from: written by the verdict process's main thread, read by every
 * thread for /health/ready. Two doubles, each written whole; a reader may see one newer than the other, which is harmless.
 */
export type NodeHealth = { readonly values: Float64Array }

const FRESH_MS = 0
const SEQUENCE = 1
const FORMAT: RegionFormat = {
  name: 'node health',
  magic: magicOf('ZHLT'),
  version: 1,
  regionBytes: () => HEADER_BYTES + 16,
}

export function createNodeHealth(): SharedArrayBuffer {
  return createRegion(FORMAT, 1)
}

export function openNodeHealth(memory: SharedArrayBuffer): NodeHealth {
  openRegion(FORMAT, memory)
  return { values: new Float64Array(memory, HEADER_BYTES) }
}

/** `freshMs`: the last moment of which every change is in force, epoch milliseconds; `sequence`: the last change seen. */
export function setNodeHealth({ values }: NodeHealth, freshMs: number, sequence: number): void {
  values[FRESH_MS] = freshMs
  values[SEQUENCE] = sequence
}

export function nodeHealth({ values }: NodeHealth): { freshMs: number; sequence: number } {
  return { freshMs: values[FRESH_MS] ?? 0, sequence: values[SEQUENCE] ?? 0 }
}
