/**
 * An upload as a stream of bytes in which every structural character (digits, delimiters, quotes, line ends) is one
 * ASCII byte. UTF-8 and CP1251 have that property as they are; UTF-16 is turned into UTF-8 on the way. So the tokenizer
 * works on bytes, and text is decoded only for the fields that need it.
 *
 * The file is read twice: once to learn its encoding and to count its line ends (about 1 GB/s), so that the arrays for its
 * rows are allocated once at the right size, and once to read the rows. The beginning is looked at again when it is no
 * valid UTF-8.
 */
import { isUtf8 } from 'node:buffer'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { ScreeningError } from '../domain/errors.ts'

type TextEncodingName = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1251'

export type TextSource = {
  readonly encoding: TextEncodingName
  /** Size of the file. */
  readonly bytes: number
  /** LF, CR and CRLF each count once: rows <= lineEnds + 1. */
  readonly lineEnds: number
  /** Starts again at the first byte after the byte order mark. */
  rewind(): void
  /** Fills `into` from `at` on; 0 at the end. */
  read(into: Uint8Array, at: number): number
  /** Bytes of the file consumed since `rewind`. */
  consumed(): number
  decode(bytes: Uint8Array): string
  close(): void
}

const HEAD_BYTES = 65_536
const SCAN_BYTES = 1_048_576
/** Bytes above 127 that tell UTF-8 from CP1251; either has nearly all of them on its side. */
const HIGH_BYTES_ENOUGH = 65_536
/** Text has next to no control characters; compressed or encrypted bytes have 10 %. */
const CONTROL_SHARE_MAX = 0.02
/** Tab, line feed, form feed, carriage return, and the end-of-file mark of old systems. */
const TEXT_CONTROLS = [9, 10, 12, 13, 26]
/** U+0000 to U+06FF: Latin, Greek, Cyrillic, Arabic. Dashes and quotes above it are the tenth that may differ. */
const HIGH_BYTE_MAX = 6
const WIDE_SCRIPT_SHARE_MIN = 0.9
const WIDE_ASCII_SHARE_MIN = 0.1

/** Opens an upload. Throws IMPORT_TOO_LARGE, IMPORT_EMPTY or IMPORT_FORMAT. The caller closes it. */
export function openTextSource(path: string, options: { bytesMax: number }): TextSource {
  const file = openSync(path, 'r')
  try {
    const bytes = fstatSync(file).size
    if (bytes > options.bytesMax) {
      throw new ScreeningError(
        'IMPORT_TOO_LARGE',
        `The upload has ${bytes} bytes, at most ${options.bytesMax} are taken.`,
      )
    }
    const head = Buffer.alloc(Math.min(bytes, HEAD_BYTES))
    readSync(file, head, 0, head.length, 0)
    const { encoding, skip } = detectEncoding(head)
    return inspect(file, bytes, encoding, skip)
  } catch (error) {
    closeSync(file)
    throw error
  }
}

function inspect(file: number, bytes: number, declared: TextEncodingName, skip: number): TextSource {
  const wide = declared === 'utf-16le' || declared === 'utf-16be'
  const reader = wide ? createWideReader(file, declared, skip) : createByteReader(file, skip)
  const scan = scanText(reader.read)
  if (scan.bytes === 0) throw new ScreeningError('IMPORT_EMPTY', 'The upload is empty.')
  // After a byte order mark it is UTF-8, and so it is with a few damaged bytes, which become U+FFFD.
  const isDoubtful = declared === 'utf-8' && skip === 0 && !scan.isUtf8
  const encoding = isDoubtful && !isMostlyUtf8(reader) ? 'windows-1251' : declared
  const decoder = new TextDecoder(encoding === 'windows-1251' ? 'windows-1251' : 'utf-8')
  return {
    encoding,
    bytes,
    lineEnds: scan.lineEnds,
    ...reader,
    decode: (field) => decoder.decode(field),
    close: () => closeSync(file),
  }
}

/** Byte order mark first, then UTF-16 by its high bytes, then the question whether this is text at all. */
function detectEncoding(head: Buffer): { encoding: TextEncodingName; skip: number } {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', skip: 3 }
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', skip: 2 }
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', skip: 2 }
  if (looksWide(head, 1)) return { encoding: 'utf-16le', skip: 0 }
  if (looksWide(head, 0)) return { encoding: 'utf-16be', skip: 0 }
  let controls = 0
  for (const byte of head) {
    if (byte === 0) controls = Number.POSITIVE_INFINITY
    else if (byte < 32 && !TEXT_CONTROLS.includes(byte)) controls++
  }
  if (controls > head.length * CONTROL_SHARE_MAX) {
    throw new ScreeningError('IMPORT_FORMAT', 'The upload is not a text file.', { hint: binaryHint(head) })
  }
  return { encoding: 'utf-8', skip: 0 }
}

/** Whether the bytes at `parity` are the high bytes of Latin and Cyrillic text in UTF-16, with digits among it. */
function looksWide(head: Buffer, parity: 0 | 1): boolean {
  const pairs = head.length >>> 1
  let zeros = 0
  let scripts = 0
  for (let i = 0; i < 2 * pairs; i += 2) {
    const high = head[i + parity] ?? 0
    if (high === 0) zeros++
    if (high <= HIGH_BYTE_MAX) scripts++
    if (head[i + 1 - parity] === 0) return false
  }
  return pairs > 1 && scripts >= pairs * WIDE_SCRIPT_SHARE_MIN && zeros >= pairs * WIDE_ASCII_SHARE_MIN
}

function binaryHint(head: Buffer): string {
  if (head[0] === 0x50 && head[1] === 0x4b) return 'This looks like a workbook or a zip archive: save the sheet as CSV.'
  if (head[0] === 0x1f && head[1] === 0x8b) return 'This looks like gzip: unpack it first.'
  if (head[0] === 0xd0 && head[1] === 0xcf) return 'This looks like an old workbook: save the sheet as CSV.'
  return 'Send CSV or one number a line, in UTF-8, UTF-16 or CP1251.'
}

type Reader = Pick<TextSource, 'rewind' | 'read' | 'consumed'>

function createByteReader(file: number, skip: number): Reader {
  let position = skip
  return {
    rewind() {
      position = skip
    },
    read(into, at) {
      const count = readSync(file, into, at, into.length - at, position)
      position += count
      return count
    },
    consumed: () => position,
  }
}

/** UTF-16 to UTF-8. A chunk of n bytes becomes at most 1.5 n; what does not fit waits in `pending`. */
function createWideReader(file: number, encoding: 'utf-16le' | 'utf-16be', skip: number): Reader {
  const chunk = Buffer.alloc(HEAD_BYTES)
  let position = skip
  let decoder = new TextDecoder(encoding)
  let pending: Uint8Array = Buffer.alloc(0)
  let ended = false
  return {
    rewind() {
      position = skip
      decoder = new TextDecoder(encoding)
      pending = Buffer.alloc(0)
      ended = false
    },
    read(into, at) {
      while (pending.length === 0 && !ended) {
        const count = readSync(file, chunk, 0, chunk.length, position)
        position += count
        ended = count === 0
        pending = Buffer.from(decoder.decode(chunk.subarray(0, count), { stream: !ended }), 'utf8')
      }
      const count = Math.min(pending.length, into.length - at)
      into.set(pending.subarray(0, count), at)
      pending = pending.subarray(count)
      return count
    },
    consumed: () => position,
  }
}

function scanText(read: Reader['read']): { bytes: number; lineEnds: number; isUtf8: boolean } {
  const chunk = Buffer.alloc(SCAN_BYTES)
  const counter = { lineEnds: 0, afterCarriageReturn: false }
  let bytes = 0
  let valid = true
  // The last bytes of a chunk may be the first of a character: they are moved to the front of the next one.
  let carried = 0
  for (;;) {
    const count = read(chunk, carried)
    bytes += count
    countLineEnds(chunk, carried, carried + count, counter)
    const end = carried + count
    const whole = count === 0 ? end : lastCharacterEnd(chunk, end)
    if (valid && !isUtf8(chunk.subarray(0, whole))) valid = false
    if (count === 0) return { bytes, lineEnds: counter.lineEnds, isUtf8: valid }
    chunk.copyWithin(0, whole, end)
    carried = end - whole
  }
}

/**
 * Whether most bytes above 127 belong to UTF-8 characters: with one damaged byte nearly all do, of CP1251 text next to
 * none, because a letter is hardly ever followed by one of the marks below 0xC0.
 */
function isMostlyUtf8(reader: Reader): boolean {
  const chunk = Buffer.alloc(HEAD_BYTES)
  let high = 0
  let valid = 0
  reader.rewind()
  for (;;) {
    const count = reader.read(chunk, 0)
    if (count === 0 || high >= HIGH_BYTES_ENOUGH) return valid * 2 > high
    // A character that two chunks share counts as damaged: 3 bytes in 65,536.
    for (let at = 0; at < count; at++) {
      if ((chunk[at] as number) < 0x80) continue
      const length = characterLength(chunk, at, count)
      high += Math.max(1, length)
      valid += length
      if (length > 1) at += length - 1
    }
  }
}

/** Length of the UTF-8 character of several bytes at `at`, 0 when there is none. Overlong forms are not looked for. */
function characterLength(chunk: Uint8Array, at: number, end: number): number {
  const first = chunk[at] as number
  const length = first < 0xc2 || first > 0xf4 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (at + length > end) return 0
  for (let i = 1; i < length; i++) if (((chunk[at + i] as number) & 0xc0) !== 0x80) return 0
  return length
}

function countLineEnds(
  chunk: Uint8Array,
  start: number,
  end: number,
  counter: { lineEnds: number; afterCarriageReturn: boolean },
): void {
  let lineEnds = 0
  let after = counter.afterCarriageReturn
  for (let i = start; i < end; i++) {
    const byte = chunk[i] as number
    if (byte > 13) after = false
    else if (byte === 10) {
      if (!after) lineEnds++
      after = false
    } else {
      after = byte === 13
      if (after) lineEnds++
    }
  }
  counter.lineEnds += lineEnds
  counter.afterCarriageReturn = after
}

/** Where the last UTF-8 character that is whole ends: at most 3 bytes before `end`. */
function lastCharacterEnd(chunk: Uint8Array, end: number): number {
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = chunk[end - back] ?? 0
    if (byte < 0x80) return end
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return length > back ? end - back : end
    }
  }
  return end
}
