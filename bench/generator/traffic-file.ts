/** Traffic files of the load generator: the format is told in generator.c. */
import { closeSync, openSync, writeSync } from 'node:fs'

/** What stands at a place of a request, made anew for each sending; `event` numbers the call it belongs to. */
export type Patch = { readonly offset: number; readonly event: number } & PatchValue

export type PatchValue =
  /** 12 digits that no other event has. */
  | { readonly kind: 'decimal' }
  /** u64, likewise. */
  | { readonly kind: 'hash' }
  /** Nine digits of a mobile number (DIGITS), or the whole number as f64: of `range` numbers from index `first`. */
  | { readonly kind: 'digits' | 'number'; readonly first: number; readonly range: number; readonly stride: number }
  /** When the call is of no use any more, epoch milliseconds: as 13 digits, as f64. */
  | { readonly kind: 'deadlineDigits' | 'deadline'; readonly afterMs: number }

export type TrafficRequest = {
  readonly bytes: Buffer
  readonly patches: readonly Patch[]
  /** Calls in it, each of which gets a verdict. */
  readonly calls: number
  /** Whether the server answers it at all. */
  readonly isAnswered: boolean
}

const KINDS = ['decimal', 'hash', 'digits', 'number', 'deadlineDigits', 'deadline'] as const
const PATCH_BYTES = 40

/** `events`: numbers of calls in one cycle; the next cycle goes on from there. */
export function writeTrafficFile(file: string, requests: readonly TrafficRequest[], events: number): void {
  const head = Buffer.alloc(16)
  head.write('ZTRF', 'latin1')
  head.writeUInt32LE(requests.length, 4)
  head.writeBigUInt64LE(BigInt(events), 8)
  const handle = openSync(file, 'w')
  try {
    writeSync(handle, head)
    for (let at = 0; at < requests.length; at += 1_000) {
      writeSync(handle, Buffer.concat(requests.slice(at, at + 1_000).flatMap(encode)))
    }
  } finally {
    closeSync(handle)
  }
}

function encode({ bytes, patches, calls, isAnswered }: TrafficRequest): Buffer[] {
  // Padded so that the patches of the next request lie where a processor likes to read them.
  const padding = (8 - (bytes.length % 8)) % 8
  const head = Buffer.alloc(16 + patches.length * PATCH_BYTES)
  head.writeUInt32LE(bytes.length, 0)
  head.writeUInt32LE(calls, 4)
  head.writeUInt32LE(isAnswered ? 1 : 0, 8)
  head.writeUInt32LE(patches.length, 12)
  for (const [index, patch] of patches.entries()) {
    const at = 16 + index * PATCH_BYTES
    head.writeUInt32LE(patch.offset, at)
    head.writeUInt32LE(KINDS.indexOf(patch.kind), at + 4)
    // Ends of calls of the cycle before have a negative number in this one.
    head.writeBigInt64LE(BigInt(patch.event), at + 8)
    if (patch.kind === 'digits' || patch.kind === 'number') {
      head.writeDoubleLE(patch.first, at + 16)
      head.writeBigUInt64LE(BigInt(patch.range), at + 24)
      head.writeBigUInt64LE(BigInt(patch.stride), at + 32)
    } else if (patch.kind === 'deadlineDigits' || patch.kind === 'deadline') {
      head.writeDoubleLE(patch.afterMs, at + 16)
    }
  }
  return [head, bytes, Buffer.alloc(padding)]
}
