/**
 * What an attack file may say. One source for the types, the checks and the published JSON Schema (attack.schema.json);
 * docs/simulator.md explains the fields.
 */
import { type Static, Type } from 'typebox'

const strict = { additionalProperties: false }
const oneOf = <const T extends readonly string[]>(values: T, description: string) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], description })
const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description })
const whole = (minimum: number, maximum: number, description: string) => Type.Integer({ minimum, maximum, description })
const number = (minimum: number, maximum: number, description: string) => Type.Number({ minimum, maximum, description })
/** [least, most]: each use draws one between. */
const span = (minimum: number, maximum: number, description: string) =>
  Type.Unsafe<readonly [number, number]>({
    type: 'array',
    items: { type: 'number', minimum, maximum },
    minItems: 2,
    maxItems: 2,
    description: `[least, most] ${description}`,
  })
const name = (description: string) => Type.String({ pattern: '^[a-z][a-z0-9-]{0,47}$', description })

export const POOL_DRAWS = [
  'plan',
  'block',
  'neighbour',
  'subscribers',
  'businesses',
  'impossible',
  'unassigned',
  'foreign',
] as const
export const TARGET_DRAWS = ['random', 'sequential', 'one', 'list'] as const

const TALK = Type.Object(
  {
    medianSeconds: number(0.1, 86_400, 'Median of the talk time, s; log-normal.'),
    spread: number(0, 3, 'Sigma of its logarithm; 0: always the same.'),
  },
  strict,
)

const POOL = Type.Object(
  {
    draw: oneOf(POOL_DRAWS, 'Where the caller numbers come from.'),
    size: whole(1, 100_000, 'Numbers of one campaign. With neighbour: ignored, every call gets a number of its own.'),
    weight: Type.Optional(
      number(0.001, 1_000, 'How often this pool is used, beside the others of the file; default 1.'),
    ),
    blockSize: Type.Optional(
      Type.Unsafe<10 | 100 | 1000>({ enum: [10, 100, 1000], description: 'block: numbers of one block.' }),
    ),
    sharedDigits: Type.Optional(
      whole(3, 10, 'neighbour: leading digits of the callee (country code included) it shares.'),
    ),
    operator: Type.Optional(oneOf(['own', 'other', 'any'], 'plan, block, subscribers: whose numbers; default other.')),
    kinds: Type.Optional(
      Type.Array(name('A benign kind.'), {
        minItems: 1,
        maxItems: 20,
        description: 'businesses: whose numbers are borrowed.',
      }),
    ),
    countries: Type.Optional(
      Type.Array(Type.String({ pattern: '^[1-9][0-9]{0,4}$' }), {
        minItems: 1,
        maxItems: 50,
        description: 'foreign: country codes, with leading digits of a range where wanted.',
      }),
    ),
    spoofed: Type.Boolean({
      description: 'The caller does not hold the numbers: their owner denies the call when asked.',
    }),
    trunks: Type.Object(
      {
        kind: oneOf(['subscriber', 'national', 'international'], 'How the calls enter our network.'),
        count: whole(1, 12, 'Trunks one campaign uses, in turn at random.'),
      },
      strict,
    ),
  },
  strict,
)

const CALLING = Type.Object(
  {
    pools: Type.Array(POOL, { minItems: 1, maxItems: 8, description: 'Mixed campaigns have several.' }),
    campaign: Type.Object(
      {
        calls: span(1, 1_000_000, 'calls of one campaign.'),
        hours: span(0, 24, 'local hours in which it calls.'),
        weekend: Type.Boolean({ description: 'Whether it calls on Saturday and Sunday.' }),
      },
      strict,
    ),
    rate: Type.Object(
      {
        callsPerMinute: span(0.001, 600, 'calls a minute of one line.'),
        lines: whole(1, 1_000, 'Numbers that call at the same time.'),
        regular: Type.Boolean({ description: 'A machine with even gaps (within 5 %); else at random (Poisson).' }),
        waitsForEnd: Type.Optional(
          Type.Boolean({ description: 'An agent: the gap begins when the call before is over. Default false.' }),
        ),
      },
      strict,
    ),
    rotation: Type.Object(
      {
        calls: Type.Optional(span(1, 1_000_000, 'calls of a number before it is changed.')),
        minutes: Type.Optional(span(1, 100_000, 'minutes before a number is changed.')),
        blocked: Type.Optional(whole(1, 1_000, 'A number is changed after so many blocked calls.')),
      },
      { ...strict, description: 'When a line takes the next number of the pool; nothing: never.' },
    ),
    answers: Type.Object(
      {
        answered: share('Calls that are answered; calls to numbers nobody has never are.'),
        ringSeconds: span(0, 120, 'seconds a call rings before it is answered or given up.'),
        talk: TALK,
        short: share('Answered calls that the callee ends within 1 to 5 s.'),
        victims: share('Answered calls in which somebody is being cheated.'),
        victimTalk: Type.Optional(TALK),
        callBack: Type.Optional(share('People who missed the call and ring back; default 0.02.')),
      },
      strict,
    ),
    targets: Type.Object(
      {
        draw: oneOf(
          TARGET_DRAWS,
          'random subscribers; numbers in sequence; one victim; a list called again and again.',
        ),
        step: Type.Optional(span(1, 100, 'sequential: from one number to the next.')),
        listSize: Type.Optional(whole(1, 1_000_000, 'list: people on it.')),
        unassigned: Type.Optional(share('random: dialled numbers that nobody has; default 0.')),
      },
      strict,
    ),
    reported: Type.Optional(share('Answered calls that somebody reports; default 0.03.')),
    scenario: Type.Optional(
      oneOf(['state-services', 'operator-code', 'bank', 'spam', 'other'], 'What reports say; default spam.'),
    ),
    whitewash: Type.Optional(
      Type.Object(
        {
          accomplices: whole(1, 1_000, 'Subscribers who help.'),
          calls: whole(1, 1_000, 'Long calls of each number with accomplices before it is used.'),
          talk: TALK,
        },
        { ...strict, description: 'Talk with accomplices that makes a number look good.' },
      ),
    ),
  },
  strict,
)

const REPORTING = Type.Object(
  {
    targets: Type.Array(name('A benign kind.'), {
      minItems: 1,
      maxItems: 20,
      description: 'Whose numbers are bombed.',
    }),
    numbersPerMillion: number(
      0.1,
      10_000,
      'Numbers bombed in the counted days, per million benign calls of them; one at least.',
    ),
    colluders: whole(1, 10_000, 'Reporters who work together.'),
    reportsPerNumber: span(1, 1_000, 'reports on one number, each by another colluder.'),
    withinMinutes: number(0, 100_000, 'All reports on one number come within.'),
    opaque: Type.Boolean({ description: 'Reporters are opaque ids, which anybody can make; else phone numbers.' }),
    channel: oneOf(['hotline', 'chat', 'bot', 'app', 'partner'], 'Where the reports come in.'),
    scenario: oneOf(['state-services', 'operator-code', 'bank', 'spam', 'other'], 'What they say.'),
  },
  { ...strict, description: 'An attack by reports on numbers that did nothing.' },
)

export const ATTACK_SCHEMA = Type.Object(
  {
    name: name('Unique among the files.'),
    type: name('The fraud type it is counted as in the tables.'),
    about: Type.String({ minLength: 1, maxLength: 500 }),
    weight: number(0, 1_000, 'Its calls among those of all files; 0 with reporting.'),
    calling: Type.Optional(CALLING),
    reporting: Type.Optional(REPORTING),
  },
  {
    ...strict,
    title: 'Zaslon simulator attack',
    description: 'One file a fraud type or variant; see docs/simulator.md.',
  },
)

export type Attack = Static<typeof ATTACK_SCHEMA>
export type Calling = Static<typeof CALLING>
export type Pool = Static<typeof POOL>
export type Reporting = Static<typeof REPORTING>
export type Talk = Static<typeof TALK>

/** The published JSON Schema, as a file. */
export function attackSchemaText(): string {
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...ATTACK_SCHEMA }
  return `${JSON.stringify(schema, undefined, 2)}\n`
}
