import { type AnswerMemory, createAnswerMemory } from './answer-memory.ts'

/** Writes a verdict as bytes, piece by piece, without a text in between. */
export type AnswerWriter = {
  /** `lengthMax`: all pieces together. */
  begin(lengthMax: number): void
  add(piece: Uint8Array): void
  /** The bytes from..to of another text. */
  addSpan(source: Uint8Array, from: number, to: number): void
  /** 128 bits as 32 hexadecimal digits, most significant word and digit first. */
  addVerdictId(words: Uint32Array): void
  /** What was written, valid until the next `begin`. */
  end(): Uint8Array
}

/** Room for nearly any answer: eight reasons with lists of long names and a long label are 4 KiB. */
const ANSWER_BYTES = 16 * 1024

/** Character codes of the hexadecimal digits. */
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

export function createAnswerWriter(): AnswerWriter {
  const kept = createAnswerMemory(ANSWER_BYTES)
  let memory: AnswerMemory = kept
  let bytes: Uint8Array = kept.bytes
  let at = 0
  return {
    begin(lengthMax) {
      memory = lengthMax <= ANSWER_BYTES ? kept : createAnswerMemory(lengthMax)
      bytes = memory.bytes
      at = 0
    },
    add(piece) {
      bytes.set(piece, at)
      at += piece.length
    },
    addSpan(source, from, to) {
      const target = bytes
      const first = at - from
      for (let i = from; i < to; i++) target[first + i] = source[i]!
      at = first + to
    },
    addVerdictId(words) {
      const target = bytes
      for (let i = 0; i < 4; i++) {
        const word = words[i]! | 0
        const first = at + 8 * i
        target[first] = DIGITS[word >>> 28]!
        target[first + 1] = DIGITS[(word >>> 24) & 15]!
        target[first + 2] = DIGITS[(word >>> 20) & 15]!
        target[first + 3] = DIGITS[(word >>> 16) & 15]!
        target[first + 4] = DIGITS[(word >>> 12) & 15]!
        target[first + 5] = DIGITS[(word >>> 8) & 15]!
        target[first + 6] = DIGITS[(word >>> 4) & 15]!
        target[first + 7] = DIGITS[word & 15]!
      }
      at += 32
    },
    end: () => memory.first(at),
  }
}

/** Joins answers to a JSON array. */
export type ArrayWriter = {
  begin(): void
  add(answer: Uint8Array): void
  /** What was written, valid until the next `begin`. */
  end(): Uint8Array
}

/** Room for a batch of 1,000 usual answers; a larger one gets memory of its own. */
const ARRAY_BYTES = 512 * 1024
const OPEN_ARRAY = 0x5b
const COMMA = 0x2c
const CLOSE_ARRAY = 0x5d

export function createArrayWriter(): ArrayWriter {
  const kept = new Uint8Array(ARRAY_BYTES)
  let bytes: Uint8Array = kept
  let at = 0
  return {
    begin() {
      bytes = kept
      at = 0
    },
    add(answer) {
      // One for what stands before it, one for the end.
      if (at + answer.length + 2 > bytes.length) {
        const larger = new Uint8Array(2 * (at + answer.length))
        larger.set(bytes.subarray(0, at))
        bytes = larger
      }
      bytes[at] = at === 0 ? OPEN_ARRAY : COMMA
      bytes.set(answer, at + 1)
      at += answer.length + 1
    },
    end() {
      bytes[at] = CLOSE_ARRAY
      return bytes.subarray(0, at + 1)
    },
  }
}
