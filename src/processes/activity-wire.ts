import { SUMMARY_WORDS } from '../shm/activity-summary.ts'
import { magicOf } from '../shm/layout.ts'

/**
 * One message between nodes: 8 little-endian words, then rows of SUMMARY_WORDS words.
 *
 * ```
 *   0 magic   1 version   2-5 node (128 random bits, new with each start)   6 verdict process   7 rows
 * ```
 */
export type ActivityMessage = { readonly node: string; readonly process: number; readonly summaries: Uint32Array }

const MAGIC = magicOf('ZACX')
const VERSION = 1
const HEAD_WORDS = 8
const NODE_AT = 8
const NODE_BYTES = 16

/** Rows a verdict process tells of each second. */
export const SUMMARIES_MAX = 1_000
/** Verdict processes are numbered from 1 on; a node has no more. */
const PROCESSES_MAX = 1_024

/** `node`: 32 hexadecimal digits. */
export function encodeActivity({ node, process, summaries }: ActivityMessage): Uint8Array {
  const words = new Uint32Array(HEAD_WORDS + summaries.length)
  words[0] = MAGIC
  words[1] = VERSION
  words[6] = process
  words[7] = summaries.length / SUMMARY_WORDS
  words.set(summaries, HEAD_WORDS)
  const bytes = new Uint8Array(words.buffer)
  bytes.set(Buffer.from(node, 'hex').subarray(0, NODE_BYTES), NODE_AT)
  return bytes
}

/** Undefined: not such a message, of another version, cut short, or longer than it says. Rows are not looked at yet. */
export function decodeActivity(message: Uint8Array): ActivityMessage | undefined {
  if (message.byteLength < HEAD_WORDS * 4 || message.byteLength % 4 !== 0) return undefined
  // A copy: what comes from a connection need not begin at a word.
  const words = new Uint32Array(message.byteLength / 4)
  new Uint8Array(words.buffer).set(message)
  const [magic, version, , , , , process = 0, rows = 0] = words
  if (magic !== MAGIC || version !== VERSION || process < 1 || process > PROCESSES_MAX) return undefined
  if (rows > SUMMARIES_MAX || words.length !== HEAD_WORDS + rows * SUMMARY_WORDS) return undefined
  const node = Buffer.from(words.buffer, NODE_AT, NODE_BYTES).toString('hex')
  return { node, process, summaries: words.subarray(HEAD_WORDS) }
}
