import { DEFAULT_BEHAVIOUR } from './behaviour.ts'
import { ScreeningError } from './errors.ts'
import { createFieldChecker, escapePointer, type FieldChecker, isPlainObject } from './field-checker.ts'
import { readBehaviour } from './parse-behaviour.ts'
import {
  type PolicyDocument,
  type PolicyRule,
  RULE_MODES,
  SIGNAL_NAMES,
  SIP_BLOCK_STYLES,
  type SignalName,
} from './policy.ts'
import { REPORTERS_KEPT } from './reputation.ts'

/** Each list of callees that always get through is searched on every call. */
const CALLEES_MAX = 200
const LABEL_LANGUAGES_MAX = 16
const WINDOW_DAYS_MAX = 90
const STALE_DAYS_MAX = 3_650

const TOP_KEYS = ['name', 'thresholds', 'reviewAt', 'reports', 'numbering', 'callees', 'sip', 'label', 'rules'] as const

/**
 * A policy document from parsed YAML or JSON of unknown shape. Strict: every key must be there, none may be unknown, and
 * one rule per signal at most (a signal without a rule is off). Throws POLICY_INVALID with everything that is wrong at
 * once, each with its JSON Pointer.
 */
export function parsePolicy(value: unknown): PolicyDocument {
  const check = createFieldChecker()
  const policy = readPolicy(value, check)
  const [first] = check.errors
  if (first === undefined) return policy
  const more = check.errors.length > 1 ? ` (and ${check.errors.length - 1} more)` : ''
  throw new ScreeningError('POLICY_INVALID', `The policy was refused: ${first.detail}${more}`, {
    errors: check.errors,
    hint: 'Nothing was changed. `zaslon policy validate <file>` checks a policy without applying it.',
  })
}

function readPolicy(value: unknown, check: FieldChecker): PolicyDocument {
  const top = check.object(value, '', TOP_KEYS, ['behaviour'])
  if (!isPlainObject(value)) return EMPTY
  return {
    name: check.text(
      top.name,
      '/name',
      /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/,
      'lower-case letters, digits, ".", "_" and "-", 1 to 64 of them',
    ),
    thresholds: readThresholds(top.thresholds, check),
    reviewAt: check.integer(top.reviewAt, '/reviewAt', 1, 100),
    reports: readReports(top.reports, check),
    numbering: {
      staleAfterDays: check.integer(
        check.object(top.numbering, '/numbering', ['staleAfterDays']).staleAfterDays,
        '/numbering/staleAfterDays',
        1,
        STALE_DAYS_MAX,
      ),
    },
    behaviour: top.behaviour === undefined ? DEFAULT_BEHAVIOUR : readBehaviour(top.behaviour, check),
    callees: readCallees(top.callees, check),
    sip: readSip(top.sip, check),
    label: readLabel(top.label, check),
    rules: readRules(top.rules, check),
  }
}

function readThresholds(value: unknown, check: FieldChecker): PolicyDocument['thresholds'] {
  const fields = check.object(value, '/thresholds', ['flag', 'block'])
  const flag = check.integer(fields.flag, '/thresholds/flag', 1, 100)
  const block = check.integer(fields.block, '/thresholds/block', 1, 100)
  if (flag > block && Number.isSafeInteger(fields.block)) {
    check.fail('/thresholds/flag', `"flag" must not be above "block" (${block}), got ${flag}.`)
  }
  return { flag, block }
}

function readReports(value: unknown, check: FieldChecker): PolicyDocument['reports'] {
  const fields = check.object(value, '/reports', ['windowDays', 'flagReporters', 'blockReporters', 'weightMin'])
  const reports = {
    windowDays: check.integer(fields.windowDays, '/reports/windowDays', 1, WINDOW_DAYS_MAX),
    flagReporters: check.integer(fields.flagReporters, '/reports/flagReporters', 1, REPORTERS_KEPT),
    blockReporters: check.integer(fields.blockReporters, '/reports/blockReporters', 1, REPORTERS_KEPT),
    weightMin: check.number(fields.weightMin, '/reports/weightMin', 0, 1),
  }
  if (reports.flagReporters > reports.blockReporters && Number.isSafeInteger(fields.blockReporters)) {
    check.fail(
      '/reports/flagReporters',
      `"flagReporters" must not be above "blockReporters" (${reports.blockReporters}), got ${reports.flagReporters}.`,
    )
  }
  return reports
}

function readCallees(value: unknown, check: FieldChecker): PolicyDocument['callees'] {
  const fields = check.object(value, '/callees', ['emergency', 'service'])
  const read = (list: unknown, pointer: string, countMin: number) =>
    check
      .list(list, pointer, countMin, CALLEES_MAX)
      .map((digits, index) =>
        check.text(
          digits,
          `${pointer}/${index}`,
          /^\+?[0-9]{2,15}$/,
          'a number as dialled, digits in quotes (YAML reads a bare 02 as the number 2)',
        ),
      )
  return {
    emergency: read(fields.emergency, '/callees/emergency', 1),
    service: read(fields.service, '/callees/service', 0),
  }
}

function readSip(value: unknown, check: FieldChecker): PolicyDocument['sip'] {
  const fields = check.object(value, '/sip', ['analytics', 'deterministic', 'redressUrl', 'location'])
  return {
    analytics: check.oneOf(fields.analytics, '/sip/analytics', SIP_BLOCK_STYLES),
    deterministic: check.oneOf(fields.deterministic, '/sip/deterministic', SIP_BLOCK_STYLES),
    // It stands inside a quoted string of a SIP header: nothing that could end the string or the header may get in.
    redressUrl: check.text(
      fields.redressUrl,
      '/sip/redressUrl',
      /^https?:\/\/[A-Za-z0-9._~:/?#@!$&()*+,=%{}-]{1,200}$/,
      'an http(s) URL of at most 200 characters without quotes, spaces, brackets or semicolons',
    ),
    location: check.text(fields.location, '/sip/location', /^[A-Z]{1,5}$/, 'one to five capital letters such as LN'),
  }
}

function readLabel(value: unknown, check: FieldChecker): PolicyDocument['label'] {
  const fields = check.object(value, '/label', ['code', 'text'])
  const code = check.text(fields.code, '/label/code', /^[a-z0-9-]{1,32}$/, 'lower-case letters, digits and hyphens')
  if (!isPlainObject(fields.text)) {
    check.fail('/label/text', '"text" must be an object from language to text, such as { en: Suspected fraud }.')
    return { code, text: {} }
  }
  const languages = Object.entries(fields.text)
  if (languages.length < 1 || languages.length > LABEL_LANGUAGES_MAX) {
    check.fail('/label/text', `"text" must have 1 to ${LABEL_LANGUAGES_MAX} languages, got ${languages.length}.`)
  }
  const text: Record<string, string> = {}
  for (const [language, words] of languages.slice(0, LABEL_LANGUAGES_MAX)) {
    const pointer = `/label/text/${escapePointer(language)}`
    if (!/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}$/.test(language)) {
      check.fail(pointer, `"${language.slice(0, 40)}" is not a language tag such as en or pt-BR.`)
      continue
    }
    text[language] = check.text(words, pointer, /^[^\p{Cc}\p{Zl}\p{Zp}]{1,100}$/u, '1 to 100 printable characters')
  }
  return { code, text }
}

function readRules(value: unknown, check: FieldChecker): readonly PolicyRule[] {
  const seen = new Set<SignalName>()
  return check.list(value, '/rules', 1, SIGNAL_NAMES.length * 2).map((item, index) => {
    const pointer = `/rules/${index}`
    const fields = check.object(item, pointer, ['signal', 'mode', 'points'])
    const rule = {
      signal: check.oneOf(fields.signal, `${pointer}/signal`, SIGNAL_NAMES),
      mode: check.oneOf(fields.mode, `${pointer}/mode`, RULE_MODES),
      points: check.integer(fields.points, `${pointer}/points`, 0, 100),
    }
    if (rule.signal === fields.signal && seen.has(rule.signal)) {
      check.fail(`${pointer}/signal`, `"${rule.signal}" has a rule already: one rule per signal.`)
    }
    seen.add(rule.signal)
    return rule
  })
}

/** What is returned beside errors when there is nothing to read; never seen by anybody. */
const EMPTY: PolicyDocument = {
  name: '',
  thresholds: { flag: 1, block: 1 },
  reviewAt: 1,
  reports: { windowDays: 1, flagReporters: 1, blockReporters: 1, weightMin: 0 },
  numbering: { staleAfterDays: 1 },
  behaviour: DEFAULT_BEHAVIOUR,
  callees: { emergency: [], service: [] },
  sip: { analytics: '603+', deterministic: '603', redressUrl: '', location: '' },
  label: { code: '', text: {} },
  rules: [],
}
