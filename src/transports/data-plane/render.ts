import type { ListKind } from '../../domain/number-list.ts'
import type { PolicyDocument } from '../../domain/policy.ts'
import { BASES, REASON_CODES } from '../../domain/reason.ts'
import { BLOCK, FLAG, VERDICTS } from '../../domain/verdict.ts'
import type { Decision } from '../../engine/decision.ts'
import type { Screener } from '../../engine/screener.ts'
import { headerText, type SipReply, sipReplies, VERDICT_ID_MARK } from './sip-reply.ts'
import { createAnswerWriter } from './write-answer.ts'

/**
 * Decisions as text. JSON.stringify of a fresh object costs about as much as the whole decision, and two answers to
 * different calls mostly differ in their ids only: so the text of an answer is cached by its shape, cut where the verdict id goes.
 * A new policy or list (screener.generation) begins a new cache; what an older policy decided is rendered by that one.
 */
export type VerdictRenderer = {
  /** The answer of the contract. `type`: also carries "type":"verdict" (WebSocket frames). */
  json(decision: Decision, callId: string, type?: 'verdict'): string
  /**
   * The same as UTF-8, valid until the next call. The call id stands in `source` from..to, there is none when both are the
   * same; it must be printable ASCII without a quote or a backslash.
   */
  jsonBytes(decision: Decision, source: Uint8Array, from: number, to: number, type?: 'verdict'): Uint8Array
  /** One line without its end, so that a switch may compare it as it is: `block 603 Network Blocked`, `allow`, `flag <label code>`. */
  text(decision: Decision): string
  /** The SIP reply that goes with a block. */
  sipReply(decision: Decision): SipReply
}

export type RenderOptions = {
  /** Language of flag labels (a key of the policy's label texts). */
  readonly labelLanguage: string
}

/** A longer callId is cut to this in the answer (it counts whole when calls are told apart). */
export const CALL_ID_CHARS_MAX = 256

/** Shapes kept: scores 0-100 times the lists in use stay far below; a flood of rare combinations starts it afresh. */
const SHAPES_MAX = 4_096

/** Character codes of the hexadecimal digits. */
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** The pieces of an answer before its shape. */
const OPENING = Buffer.from('{"verdictId":"')
const FRAME_OPENING = Buffer.from('{"type":"verdict","verdictId":"')
const CALL_ID = Buffer.from('","callId":"')
const NEXT = Buffer.from('",')
const OPENING_BYTES_MAX = 128 + CALL_ID_CHARS_MAX
const ID_BYTES = 32

/** A text that is JSON between quotes as it stands: printable ASCII, nearly every callId. */
const PLAIN = /^[ !#-[\]-~]*$/

/** Policies remembered: an answer may be asked for again for RECENT_CALL_SECONDS, and nobody changes a policy much faster. */
const RENDERINGS_MAX = 4

/** An answer behind its ids, cut where the verdict id goes; as text and, once it was asked for, as the same in UTF-8. */
type Shape = { readonly parts: readonly string[]; bytes: ShapeBytes | undefined }
type ShapeBytes = { readonly parts: readonly Uint8Array[]; readonly lengthMax: number }

/** What one version of the policy makes of a decision. */
type Rendering = {
  readonly version: number
  /** name@version. */
  readonly policy: string
  readonly replies: readonly SipReply[]
  readonly label: { readonly code: string; readonly text: string }
  readonly shapes: Map<number, Shape>
}

export function createVerdictRenderer(options: RenderOptions, screener: Screener): VerdictRenderer {
  /** Of policies that are in force no more, by version, oldest first. */
  const past = new Map<number, Rendering>()
  /** Every list seen, gone ones too: an id is never given to another list. */
  const lists = new Map<number, { readonly list: string; readonly kind: ListKind }>()
  const writer = createAnswerWriter()
  let generation = -1
  let current = createRendering(options, undefined, 0, '')

  function refresh(): void {
    const { snapshot } = screener
    generation = screener.generation
    for (const { listId, name, kind } of snapshot?.lists ?? []) lists.set(listId, { list: name, kind })
    const next = createRendering(options, snapshot?.policy, snapshot?.policyVersion ?? 0, screener.policyLabel)
    if (next.version !== current.version) keep(current)
    current = next
  }

  function keep(rendering: Rendering): void {
    past.delete(rendering.version)
    past.set(rendering.version, rendering)
    const [oldest] = past.keys()
    if (past.size > RENDERINGS_MAX && oldest !== undefined) past.delete(oldest)
  }

  /** By the policy that decided: an answer from the memory of recent calls stays as it was when the policy changes. */
  function renderingOf(decision: Decision): Rendering {
    if (generation !== screener.generation) refresh()
    return decision.policyVersion === current.version ? current : pastRendering(decision.policyVersion)
  }

  /** Another thread may have decided by a policy that has not come here yet: its number is right, its words are ours. */
  function pastRendering(version: number): Rendering {
    let rendering = past.get(version)
    if (rendering === undefined) {
      const policy = current.policy.replace(/\d+$/, String(version))
      rendering = { ...current, version, policy, shapes: new Map() }
      keep(rendering)
    }
    return rendering
  }

  function shapeOf(decision: Decision, rendering: Rendering): Shape {
    // Several reasons: their points vary too much to be worth keeping.
    if (decision.reasonCount > 1) return cutShape(decision, rendering)
    const { shapes } = rendering
    const key = shapeKey(decision)
    let shape = shapes.get(key)
    if (shape === undefined) {
      if (shapes.size >= SHAPES_MAX) shapes.clear()
      shape = cutShape(decision, rendering)
      shapes.set(key, shape)
    }
    return shape
  }

  function cutShape(decision: Decision, rendering: Rendering): Shape {
    const verdict = VERDICTS[decision.verdict] ?? 'allow'
    const body = {
      decision: verdict,
      score: decision.score,
      reasons: reasons(decision, lists),
      sip: sipAnswer(decision, rendering),
      ...(decision.verdict === FLAG ? { label: rendering.label } : {}),
      policy: rendering.policy,
    }
    // Without the opening brace: the ids stand before it.
    return { parts: JSON.stringify(body).slice(1).split(VERDICT_ID_MARK), bytes: undefined }
  }

  function json(decision: Decision, callId: string, type?: 'verdict'): string {
    const { parts } = shapeOf(decision, renderingOf(decision))
    const id = verdictIdText(decision.verdictId)
    let text = type === undefined ? `{"verdictId":"${id}",` : `{"type":"verdict","verdictId":"${id}",`
    if (callId !== '') text += `"callId":${quoted(cut(callId))},`
    text += parts[0]
    for (let i = 1; i < parts.length; i++) text += id + parts[i]
    return text
  }

  function jsonBytes(decision: Decision, source: Uint8Array, from: number, to: number, type?: 'verdict'): Uint8Array {
    const pieces = bytesOf(shapeOf(decision, renderingOf(decision)))
    writer.begin(pieces.lengthMax)
    writer.add(type === undefined ? OPENING : FRAME_OPENING)
    writer.addVerdictId(decision.verdictId)
    if (to > from) {
      writer.add(CALL_ID)
      writer.addSpan(source, from, Math.min(to, from + CALL_ID_CHARS_MAX))
    }
    writer.add(NEXT)
    writer.add(pieces.parts[0]!)
    for (let i = 1; i < pieces.parts.length; i++) {
      writer.addVerdictId(decision.verdictId)
      writer.add(pieces.parts[i]!)
    }
    return writer.end()
  }

  function text(decision: Decision): string {
    if (decision.verdict === FLAG) return `flag ${headerText(renderingOf(decision).label.code)}`
    if (decision.verdict !== BLOCK) return 'allow'
    const { status, phrase } = sipReply(decision)
    return `block ${status} ${phrase}`
  }

  function sipReply(decision: Decision): SipReply {
    const { replies } = renderingOf(decision)
    return replies[decision.basis] ?? replies[0]!
  }

  return { json, jsonBytes, text, sipReply }
}

function createRendering(
  { labelLanguage }: RenderOptions,
  policy: PolicyDocument | undefined,
  version: number,
  policyLabel: string,
): Rendering {
  const texts = policy?.label.text ?? {}
  const text = texts[labelLanguage] ?? Object.values(texts)[0] ?? ''
  const label = { code: policy?.label.code ?? '', text }
  return { version, policy: policyLabel, replies: sipReplies(policy), label, shapes: new Map() }
}

function bytesOf(shape: Shape): ShapeBytes {
  if (shape.bytes !== undefined) return shape.bytes
  const parts = shape.parts.map((part) => Buffer.from(part))
  const lengthMax = parts.reduce((length, part) => length + part.byteLength + ID_BYTES, OPENING_BYTES_MAX)
  shape.bytes = { parts, lengthMax }
  return shape.bytes
}

function sipAnswer(decision: Decision, { replies, label }: Rendering): object {
  if (decision.verdict === BLOCK) {
    const { status, phrase, headers } = replies[decision.basis] ?? replies[0]!
    return { action: 'reject', status, phrase, headers }
  }
  const verdict = VERDICTS[decision.verdict] ?? 'allow'
  const headers: Record<string, string> = {
    'X-Zaslon-Verdict': `${verdict};id=${VERDICT_ID_MARK};score=${decision.score}`,
  }
  if (decision.verdict === FLAG) headers['X-Zaslon-Label'] = headerText(label.code)
  return { action: 'forward', headers }
}

/** 128 bits as 32 hexadecimal digits, most significant word and digit first. */
export function verdictIdText(words: Uint32Array): string {
  return wordText(words[0]!) + wordText(words[1]!) + wordText(words[2]!) + wordText(words[3]!)
}

/** One call that makes one flat string: a third faster than gluing pieces (bench/micro/verdict-http.ts). */
function wordText(word: number): string {
  return String.fromCharCode(
    DIGITS[word >>> 28]!,
    DIGITS[(word >>> 24) & 15]!,
    DIGITS[(word >>> 20) & 15]!,
    DIGITS[(word >>> 16) & 15]!,
    DIGITS[(word >>> 12) & 15]!,
    DIGITS[(word >>> 8) & 15]!,
    DIGITS[(word >>> 4) & 15]!,
    DIGITS[word & 15]!,
  )
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** Everything an answer with at most one reason depends on but its ids: 16 + 1 + 1 + 2 and 8 + 8 + 8 bits. */
function shapeKey(decision: Decision): number {
  const high = decision.basis * 4 + decision.verdict
  if (decision.reasonCount === 0) return high * 2 ** 24 + decision.score
  const low = ((decision.reasonPoints[0]! & 255) << 16) | (decision.reasonCodes[0]! << 8) | decision.score
  return (decision.reasonLists[0]! * 16 + decision.reasonBases[0]! * 8 + high) * 2 ** 24 + low
}

function reasons(decision: Decision, lists: ReadonlyMap<number, { list: string; kind: ListKind }>): object[] {
  const rendered: object[] = []
  for (let i = 0; i < decision.reasonCount; i++) {
    const code = REASON_CODES[decision.reasonCodes[i]! - 1] ?? 'no-evidence'
    const basis = BASES[decision.reasonBases[i]!]
    rendered.push({ code, basis, ...lists.get(decision.reasonLists[i]!), points: decision.reasonPoints[i]! })
  }
  return rendered
}

function cut(callId: string): string {
  return callId.length <= CALL_ID_CHARS_MAX ? callId : callId.slice(0, CALL_ID_CHARS_MAX)
}
