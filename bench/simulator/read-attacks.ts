import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import { nearestName } from '../../src/domain/nearest-name.ts'
import { EvaluateUsageError } from '../lib/evaluate-usage-error.ts'
import { ATTACK_SCHEMA, type Attack, type Calling, type Pool } from './attack-schema.ts'
import { BUSINESS_KINDS, PARTY_KINDS } from './world/businesses.ts'

/** More files than kinds fit in a byte beside the benign ones. */
export const ATTACKS_MAX = 200

/** The attack files of a directory (*.yaml, *.yml, *.json), by name. Throws EvaluateUsageError for the first that is wrong. */
export function readAttacks(directory: string): Attack[] {
  let files: string[]
  try {
    files = readdirSync(directory).filter((file) => /\.(ya?ml|json)$/.test(file))
  } catch (cause) {
    throw new EvaluateUsageError(`The directory of attack files ${directory} cannot be read.`, { cause })
  }
  if (files.length === 0 || files.length > ATTACKS_MAX) {
    throw new EvaluateUsageError(`${directory} must hold 1 to ${ATTACKS_MAX} attack files, it has ${files.length}.`)
  }
  const attacks = files.sort().map((file) => readAttack(path.join(directory, file)))
  const names = new Map<string, string>()
  for (const [index, { name }] of attacks.entries()) {
    const before = names.get(name)
    if (before !== undefined) throw new EvaluateUsageError(`${files[index]}: /name is ${name}, as that of ${before}.`)
    names.set(name, files[index] ?? '')
  }
  return attacks
}

export function readAttack(file: string): Attack {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new EvaluateUsageError(`${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
  let document: unknown
  try {
    document = parse(text)
  } catch (cause) {
    throw new EvaluateUsageError(`${file} is no YAML or JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
  return parseAttack(document, file)
}

/** Throws EvaluateUsageError with every mistake: file, JSON Pointer of the field, what was got and what is expected. */
export function parseAttack(document: unknown, file: string): Attack {
  const problems = [...shapeProblems(document)]
  if (problems.length === 0) problems.push(...togetherProblems(document as Attack))
  if (problems.length > 0) throw new EvaluateUsageError(problems.map((problem) => `${file}: ${problem}`).join('\n'))
  return document as Attack
}

type Problem = ReturnType<typeof Value.Errors>[number]

function shapeProblems(document: unknown): string[] {
  const problems: string[] = []
  for (const error of Value.Errors(ATTACK_SCHEMA, document)) {
    if (error.keyword === 'boolean') continue
    problems.push(...described(error, document))
  }
  return [...new Set(problems)]
}

function described(error: Problem, document: unknown): string[] {
  const { keyword, instancePath, message } = error
  const params: Readonly<Record<string, unknown>> = error.params
  if (keyword === 'additionalProperties') {
    const known = knownFields(instancePath)
    return (params.additionalProperties as string[]).map((field) => {
      const near = nearestName(field, known)
      const hint = near === undefined ? `Known fields: ${known.join(', ')}.` : `Did you mean "${near}"?`
      return `${instancePath}/${field} is not a known field. ${hint}`
    })
  }
  if (keyword === 'required') {
    return (params.requiredProperties as string[]).map((field) => `${instancePath}/${field} is missing.`)
  }
  const value = valueAt(document, instancePath)
  if (keyword === 'enum') {
    const allowed = (params.allowedValues as unknown[]).map(String)
    const near = typeof value === 'string' ? nearestName(value, allowed) : undefined
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`
    return [`${instancePath} must be one of ${allowed.join(', ')}, got ${shown(value)}.${hint}`]
  }
  return [`${instancePath === '' ? 'The document' : instancePath} ${message}, got ${shown(value)}.`]
}

/** The fields that the schema knows at a place of a document. */
function knownFields(pointer: string): string[] {
  let at: unknown = ATTACK_SCHEMA
  for (const key of pointer.split('/').slice(1)) {
    const { properties, items } = at as { properties?: Record<string, unknown>; items?: unknown }
    at = items ?? properties?.[key]
  }
  return Object.keys((at as { properties?: object } | undefined)?.properties ?? {})
}

function valueAt(document: unknown, pointer: string): unknown {
  let at = document
  for (const key of pointer.split('/').slice(1)) at = (at as Record<string, unknown> | undefined)?.[key]
  return at
}

function shown(value: unknown): string {
  // JSON has no NaN and no infinity: YAML's .nan and .inf would be shown as null.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing')
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** Rules that join several fields. */
function togetherProblems(attack: Attack): string[] {
  const { calling, reporting } = attack
  const problems: string[] = []
  if ((calling === undefined) === (reporting === undefined)) {
    problems.push('/ must have either "calling" or "reporting", not both and not none.')
  }
  if (calling !== undefined) problems.push(...callingProblems(calling))
  if (calling !== undefined && attack.weight === 0) problems.push('/weight is 0: an attack by calls would make none.')
  if (reporting !== undefined && attack.weight > 0)
    problems.push('/weight must be 0: an attack by reports makes no calls.')
  problems.push(...unknownKinds(reporting?.targets, '/reporting/targets', PARTY_KINDS))
  if (reporting && reporting.reportsPerNumber[1] > reporting.colluders) {
    problems.push('/reporting/reportsPerNumber/1 is more than /reporting/colluders: each reports a number once.')
  }
  problems.push(...spanProblems(attack, ''))
  return problems
}

function callingProblems(calling: Calling): string[] {
  const problems = calling.pools.flatMap((pool, index) => poolProblems(pool, `/calling/pools/${index}`))
  const { targets, answers, campaign } = calling
  const [from, to] = campaign.hours
  if (Math.ceil(from) >= to)
    problems.push(`/calling/campaign/hours must have a whole hour in it, got [${from}, ${to}].`)
  if (targets.draw === 'list' && targets.listSize === undefined) problems.push('/calling/targets/listSize is missing.')
  if (targets.draw === 'sequential' && targets.step === undefined) problems.push('/calling/targets/step is missing.')
  if (answers.victims > 0 && answers.victimTalk === undefined) problems.push('/calling/answers/victimTalk is missing.')
  return problems
}

function poolProblems(pool: Pool, pointer: string): string[] {
  const needs = { block: 'blockSize', neighbour: 'sharedDigits', foreign: 'countries', businesses: 'kinds' } as const
  const problems: string[] = unknownKinds(pool.kinds, `${pointer}/kinds`, BUSINESS_KINDS)
  for (const [draw, field] of Object.entries(needs) as [keyof typeof needs, (typeof needs)[keyof typeof needs]][]) {
    if (pool.draw === draw && pool[field] === undefined)
      problems.push(`${pointer}/${field} is missing: draw is ${draw}.`)
    if (pool.draw !== draw && pool[field] !== undefined) {
      problems.push(`${pointer}/${field} goes with draw ${draw}, but draw is ${pool.draw}.`)
    }
  }
  return problems
}

function unknownKinds(kinds: readonly string[] | undefined, pointer: string, known: readonly string[]): string[] {
  return (kinds ?? []).flatMap((kind, index) => {
    if (known.includes(kind)) return []
    const near = nearestName(kind, known)
    const hint = near === undefined ? `Known: ${known.join(', ')}.` : `Did you mean "${near}"?`
    return [`${pointer}/${index} must be a kind that has numbers of its own, got "${kind}". ${hint}`]
  })
}

/** [least, most] the wrong way round. */
function spanProblems(value: unknown, pointer: string): string[] {
  if (Array.isArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'number') {
    return value[0] > value[1] ? [`${pointer} must be [least, most], got [${value[0]}, ${value[1]}].`] : []
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => spanProblems(inner, `${pointer}/${key}`))
}
