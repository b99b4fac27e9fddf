import { LIST_KINDS } from '../../domain/number-list.ts'
import { BASES, REASON_CODES } from '../../domain/reason.ts'
import { BLOCK, FLAG, VERDICTS } from '../../domain/verdict.ts'
import type { Decision } from '../../engine/decision.ts'
import type { Screener } from '../../engine/screener.ts'
import { headerText, type SipReply, sipReplies, VERDICT_ID_MARK } from './sip-reply.ts'

/**
 * Decisions as text. JSON.stringify of a fresh object costs about as much as the whole decision, and two answers to
 * different calls mostly differ in their ids only: so the text of an answer is cached by its shape, cut where the verdict id goes.
 * A new policy or list (screener.generation) empties the cache.
 */
export type VerdictRenderer = {
  /** The answer of the contract. `type`: also carries "type":"verdict" (WebSocket frames). */
  json(decision: Decision, callId: string, type?: 'verdict'): string
  /** One line without its end, so that a switch may compare it as it is: `block 603 Network Blocked`, `allow`, `flag <label code>`. */
  text(decision: Decision): string
  /** The SIP reply a block with this basis gets. */
  sipReply(basis: number): SipReply
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

/** A text that is JSON between quotes as it stands: printable ASCII, nearly every callId. */
const PLAIN = /^[ !#-[\]-~]*$/

export function createVerdictRenderer(options: RenderOptions, screener: Screener): VerdictRenderer {
  const shapes = new Map<number, readonly string[]>()
  let generation = -1
  let replies = sipReplies(undefined)
  let label = { code: '', text: '' }

  function refresh(): void {
    generation = screener.generation
    const policy = screener.snapshot?.policy
    shapes.clear()
    replies = sipReplies(policy)
    const texts = policy?.label.text ?? {}
    const text = texts[options.labelLanguage] ?? Object.values(texts)[0] ?? ''
    label = { code: policy?.label.code ?? '', text }
  }

  function shapeOf(decision: Decision): readonly string[] {
    // Several reasons: their points vary too much to be worth keeping.
    if (decision.reasonCount > 1) return cutShape(decision)
    const key = shapeKey(decision)
    let shape = shapes.get(key)
    if (shape === undefined) {
      if (shapes.size >= SHAPES_MAX) shapes.clear()
      shape = cutShape(decision)
      shapes.set(key, shape)
    }
    return shape
  }

  function cutShape(decision: Decision): readonly string[] {
    const verdict = VERDICTS[decision.verdict] ?? 'allow'
    const body = {
      decision: verdict,
      score: decision.score,
      reasons: reasons(decision, screener),
      sip: sipAnswer(decision),
      ...(decision.verdict === FLAG ? { label } : {}),
      policy: screener.policyLabel,
    }
    // Without the opening brace: the ids stand before it.
    return JSON.stringify(body).slice(1).split(VERDICT_ID_MARK)
  }

  function sipAnswer(decision: Decision): object {
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

  function json(decision: Decision, callId: string, type?: 'verdict'): string {
    if (generation !== screener.generation) refresh()
    const parts = shapeOf(decision)
    const id = verdictIdText(decision.verdictId)
    let text = type === undefined ? `{"verdictId":"${id}",` : `{"type":"verdict","verdictId":"${id}",`
    if (callId !== '') text += `"callId":${quoted(cut(callId))},`
    text += parts[0]
    for (let i = 1; i < parts.length; i++) text += id + parts[i]
    return text
  }

  function text(decision: Decision): string {
    if (generation !== screener.generation) refresh()
    if (decision.verdict === FLAG) return `flag ${headerText(label.code)}`
    if (decision.verdict !== BLOCK) return 'allow'
    const { status, phrase } = replies[decision.basis] ?? replies[0]!
    return `block ${status} ${phrase}`
  }

  function sipReply(basis: number): SipReply {
    if (generation !== screener.generation) refresh()
    return replies[basis] ?? replies[0]!
  }

  return { json, text, sipReply }
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

function reasons(decision: Decision, screener: Screener): object[] {
  const rendered: object[] = []
  for (let i = 0; i < decision.reasonCount; i++) {
    const code = REASON_CODES[decision.reasonCodes[i]! - 1] ?? 'no-evidence'
    const basis = BASES[decision.reasonBases[i]!]
    const points = decision.reasonPoints[i]!
    const listId = decision.reasonLists[i]!
    const list = listId === 0 ? '' : screener.listName(listId)
    const kind = LIST_KINDS[screener.listKind(listId) - 1]
    rendered.push(list === '' || kind === undefined ? { code, basis, points } : { code, basis, list, kind, points })
  }
  return rendered
}

function cut(callId: string): string {
  return callId.length <= CALL_ID_CHARS_MAX ? callId : callId.slice(0, CALL_ID_CHARS_MAX)
}
