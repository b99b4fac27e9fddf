import { createHmac } from 'node:crypto'

/**
 * Two secret words for one purpose, derived from the pseudonym key (HMAC-SHA-256): the same in every process of the node,
 * and of nodes that share a key. `purpose` never changes: what was made with its key lies on disk.
 */
export function nodeKey(pseudonymKey: Uint8Array, purpose: 'decision-log' | 'pairs'): Uint32Array {
  const digest = createHmac('sha256', pseudonymKey).update(purpose).digest()
  return Uint32Array.of(digest.readUInt32LE(0), digest.readUInt32LE(4))
}
