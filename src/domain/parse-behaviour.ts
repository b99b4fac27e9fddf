import {
  type Behaviour,
  HARM_FEATURES,
  PATTERN_FEATURES,
  type PatternFeature,
  SCORECARDS,
  type Scorecard,
} from './behaviour.ts'
import { escapePointer, type FieldChecker, isPlainObject } from './field-checker.ts'

/** Counts of calls and callees in an hour: more than a dialling machine makes on one number. */
const COUNT_MAX = 10_000
/** Thousandths of a logit per doubling: beyond it a weight says "always". */
const WEIGHT_MAX = 20_000
const LOGIT_MAX = 100_000
const TRUNKS_MAX = 16

/** Reads the section `behaviour` of a policy; what is wrong goes to `check`, with its JSON Pointer. */
export function readBehaviour(value: unknown, check: FieldChecker): Behaviour {
  const keys = ['robocall', 'oneRing', 'sequential', 'neighbour', 'strangers', 'rotation', 'simBox', 'trunks', 'flood']
  const fields = check.object(value, '/behaviour', [...keys, 'pattern'])
  const group = (name: string, names: readonly string[]) => {
    const found = check.object(fields[name], `/behaviour/${name}`, names)
    return (key: string, min: number, max: number) => check.integer(found[key], `/behaviour/${name}/${key}`, min, max)
  }
  const robocall = group('robocall', ['callees1', 'callees15', 'callees60', 'fruitless'])
  const strangers = group('strangers', ['fromAbroad', 'ownNumbers', 'neighbours'])
  const rotation = group('rotation', ['newcomers', 'callers', 'calls'])
  const simBox = group('simBox', ['calls', 'callees60', 'slowCalls', 'slowCallees60', 'incomingPercent'])
  return {
    robocall: {
      callees1: robocall('callees1', 2, COUNT_MAX),
      callees15: robocall('callees15', 2, COUNT_MAX),
      callees60: robocall('callees60', 2, COUNT_MAX),
      fruitless: robocall('fruitless', 2, COUNT_MAX),
    },
    oneRing: { callees: group('oneRing', ['callees'])('callees', 2, COUNT_MAX) },
    sequential: { calls: group('sequential', ['calls'])('calls', 2, COUNT_MAX) },
    neighbour: { digits: group('neighbour', ['digits'])('digits', 3, 14) },
    strangers: {
      fromAbroad: strangers('fromAbroad', 2, COUNT_MAX),
      ownNumbers: strangers('ownNumbers', 2, COUNT_MAX),
      neighbours: strangers('neighbours', 2, COUNT_MAX),
    },
    rotation: {
      newcomers: rotation('newcomers', 2, 100),
      callers: rotation('callers', 2, 100),
      calls: rotation('calls', 2, COUNT_MAX),
    },
    simBox: {
      calls: simBox('calls', 2, COUNT_MAX),
      callees60: simBox('callees60', 2, COUNT_MAX),
      slowCalls: simBox('slowCalls', 2, COUNT_MAX),
      slowCallees60: simBox('slowCallees60', 2, COUNT_MAX),
      incomingPercent: simBox('incomingPercent', 0, 100),
    },
    trunks: { count: group('trunks', ['count'])('count', 2, TRUNKS_MAX) },
    flood: { calls: group('flood', ['calls'])('calls', 2, COUNT_MAX) },
    pattern: readPattern(fields.pattern, check),
  }
}

function readPattern(value: unknown, check: FieldChecker): Behaviour['pattern'] {
  const fields = check.object(value, '/behaviour/pattern', ['full', ...SCORECARDS])
  const full = check.integer(fields.full, '/behaviour/pattern/full', 1, LOGIT_MAX)
  const [any, unseen, odd] = SCORECARDS.map((name) => readScorecard(fields[name], `/behaviour/pattern/${name}`, check))
  return { full, 'any-number': any as Scorecard, 'new-number': unseen as Scorecard, 'odd-number': odd as Scorecard }
}

function readScorecard(value: unknown, at: string, check: FieldChecker): Scorecard {
  const fields = check.object(value, at, ['bias', 'weights'])
  const bias = check.integer(fields.bias, `${at}/bias`, -LOGIT_MAX, 0)
  if (!isPlainObject(fields.weights)) {
    check.fail(`${at}/weights`, '"weights" must be an object from feature to whole number.')
    return { bias, weights: {} }
  }
  const weights: Partial<Record<PatternFeature, number>> = {}
  // Harm never lowers a score and good evidence never raises it: the signs are part of what the features mean.
  for (const name of Object.keys(fields.weights)) {
    const pointer = `${at}/weights/${escapePointer(name)}`
    const feature = check.oneOf(name, pointer, PATTERN_FEATURES)
    const isHarm = HARM_FEATURES.some((harm) => harm === feature)
    const [min, max] = isHarm ? [0, WEIGHT_MAX] : [-WEIGHT_MAX, 0]
    weights[feature] = check.integer(fields.weights[name], pointer, min, max)
  }
  return { bias, weights }
}
