/**
 * The hard negatives: callers that look like fraud from far away, each kind with the rates of its trade. Rates are our
 * judgement of the trades, not measurements.
 */
import type { BenignKind } from './kinds.ts'
import { WORLD } from './parameters.ts'

export type BusinessKind = {
  readonly kind: BenignKind
  /** Of all benign calls. */
  readonly shareOfCalls: number
  /** Calls of one number on a working day. */
  readonly callsPerDay: number
  /** fixed, mobile: numbers of their own; a number: so many of one block of a hundred belong together. */
  readonly numbers: 'fixed' | 'mobile' | number
  /** Local hours from..to, and what Saturday and Sunday have of a working day. */
  readonly hours: readonly [from: number, to: number]
  readonly weekend: number
  readonly answered: number
  /** Answered calls that end within 1 to 5 s; the others are log-normal. */
  readonly short: number
  readonly talkMedianSeconds: number
  readonly talkSpread: number
  /** People a number calls again and again; 0: somebody else every time. */
  readonly customers: number
  readonly redial: number
  /** Called people who missed it and ring back. */
  readonly callBack: number
  /** Numbers on the operator's protected list, and on its allow list. */
  readonly protected: number
  readonly allowed: number
  /** Answered calls that somebody reports as spam all the same. */
  readonly reported: number
  /** What subscribers call it, of all calls from subscribers to businesses. */
  readonly called: number
}

export const BUSINESSES: readonly BusinessKind[] = [
  {
    kind: 'call-centre',
    shareOfCalls: 0.05,
    callsPerDay: 250,
    numbers: 'fixed',
    hours: [9, 20],
    weekend: 0.4,
    answered: 0.38,
    short: 0.22,
    talkMedianSeconds: 45,
    talkSpread: 1.1,
    customers: 8_000,
    redial: 0.3,
    callBack: 0.06,
    protected: 0.04,
    allowed: 0.08,
    reported: 0.0005,
    called: 0.1,
  },
  {
    kind: 'courier',
    shareOfCalls: 0.05,
    callsPerDay: 60,
    numbers: 'mobile',
    hours: [9, 22],
    weekend: 0.9,
    answered: 0.74,
    short: 0.06,
    talkMedianSeconds: 25,
    talkSpread: 0.7,
    customers: 0,
    redial: 0.6,
    callBack: 0.25,
    protected: 0,
    allowed: 0,
    reported: 0,
    called: 0.1,
  },
  {
    kind: 'taxi',
    shareOfCalls: 0.025,
    callsPerDay: 300,
    numbers: 'fixed',
    hours: [0, 24],
    weekend: 1.2,
    answered: 0.66,
    short: 0.2,
    talkMedianSeconds: 10,
    talkSpread: 0.3,
    customers: 6_000,
    redial: 0.4,
    callBack: 0.1,
    protected: 0.05,
    allowed: 0.15,
    reported: 0,
    called: 0.3,
  },
  {
    kind: 'clinic',
    shareOfCalls: 0.012,
    callsPerDay: 50,
    numbers: 'fixed',
    hours: [8, 19],
    weekend: 0.3,
    answered: 0.64,
    short: 0.08,
    talkMedianSeconds: 50,
    talkSpread: 0.8,
    customers: 900,
    redial: 0.5,
    callBack: 0.2,
    protected: 0,
    allowed: 0.2,
    reported: 0,
    called: 0.3,
  },
  {
    kind: 'bank-reminder',
    shareOfCalls: 0.015,
    callsPerDay: 400,
    numbers: 'fixed',
    hours: [9, 20],
    weekend: 0.6,
    answered: 0.46,
    short: 0.25,
    talkMedianSeconds: 14,
    talkSpread: 0.5,
    customers: 20_000,
    redial: 0.3,
    callBack: 0.05,
    protected: 0.6,
    allowed: 0.05,
    reported: 0.00025,
    called: 0.1,
  },
  {
    kind: 'bank-agents',
    shareOfCalls: 0.008,
    callsPerDay: 60,
    numbers: 20,
    hours: [9, 20],
    weekend: 0.3,
    answered: 0.5,
    short: 0.1,
    talkMedianSeconds: 110,
    talkSpread: 1,
    customers: 0,
    redial: 0.3,
    callBack: 0.08,
    protected: 0.6,
    allowed: 0,
    reported: 0.0005,
    called: 0.04,
  },
  {
    kind: 'pbx-block',
    shareOfCalls: 0.03,
    callsPerDay: 25,
    numbers: 40,
    hours: [8, 19],
    weekend: 0.1,
    answered: 0.7,
    short: 0.12,
    talkMedianSeconds: 70,
    talkSpread: 1.2,
    customers: 120,
    redial: 0.3,
    callBack: 0.2,
    protected: 0,
    allowed: 0.02,
    reported: 0.00005,
    called: 0.05,
  },
  {
    kind: 'callback-service',
    shareOfCalls: 0.006,
    callsPerDay: 40,
    numbers: 30,
    hours: [8, 23],
    weekend: 0.6,
    answered: 0.85,
    short: 0.1,
    talkMedianSeconds: 80,
    talkSpread: 1,
    customers: 0,
    redial: 0.2,
    callBack: 0.05,
    protected: 0,
    allowed: 0,
    reported: 0.0001,
    called: 0,
  },
  {
    kind: 'poll',
    shareOfCalls: 0.003,
    callsPerDay: 220,
    numbers: 'fixed',
    hours: [10, 21],
    weekend: 0.8,
    answered: 0.2,
    short: 0.45,
    talkMedianSeconds: 35,
    talkSpread: 1.3,
    customers: 0,
    redial: 0.1,
    callBack: 0.04,
    protected: 0.5,
    allowed: 0.1,
    reported: 0.001,
    called: 0.01,
  },
]

/** Announcements to all parents of a school within minutes; a school does it every other week. */
export const SCHOOL = {
  shareOfCalls: 0.003,
  /** Parents called, and the minutes it takes. */
  parents: [150, 700],
  minutes: [8, 30],
  hours: [9, 19],
  schools: 60,
  answered: 0.58,
  talkSeconds: [6, 26],
  allowed: 0.05,
  callBack: 0.15,
} as const

/** A company calls all its people: their numbers are one block, so it dials in sequence. */
export const STAFF = {
  shareOfCalls: 0.001,
  people: [25, 120],
  minutes: [4, 25],
  hours: [9, 18],
  answered: 0.72,
  talkSeconds: [5, 25],
} as const

/** Somebody with a new number tells his people: most within a day. */
export const NEW_SIM = { calls: [12, 40], hours: 30, answered: 0.48, callBack: 0.3 } as const

/** Kinds whose numbers belong to a business, and those whose numbers belong to anybody: some kinds are ways to call only. */
export const BUSINESS_KINDS: readonly BenignKind[] = [...BUSINESSES.map(({ kind }) => kind), 'school']
export const PARTY_KINDS: readonly BenignKind[] = ['friends', 'roaming', 'ported', 'foreign-friends', ...BUSINESS_KINDS]

/** What is left of all benign calls for people among themselves. */
export const PERSONAL_SHARE =
  1 -
  WORLD.toBusiness -
  WORLD.newSim -
  SCHOOL.shareOfCalls -
  STAFF.shareOfCalls -
  BUSINESSES.reduce((sum, { shareOfCalls }) => sum + shareOfCalls, 0)
