import os from 'node:os'
import { type Static, Type } from 'typebox'
import { INGRESS_KINDS } from '../domain/call-event.ts'
import { FAIL_MODES, SCREENING_MODES } from '../domain/trunk.ts'

/** What a holder of an API key may do. Each role can do what it names and nothing else; `admin` can do everything. */
export const ROLES = ['switch', 'agent', 'analyst', 'metrics', 'admin'] as const

const strict = { additionalProperties: false }
const oneOf = <const T extends readonly string[]>(values: T, options: { default?: T[number] } = {}) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options })

/** One thread leaves a core for the control process; more than 8 on one port is for measurement, not habit. */
const DEFAULT_THREADS = Math.min(8, Math.max(1, os.availableParallelism() - 1))

/**
 * zaslon.yaml, and after environment variables and defaults are laid over it, the configuration of one node.
 * Every key has its default, range and unit here and nowhere else.
 */
export const CONFIG_SCHEMA = Type.Object(
  {
    dataDirectory: Type.String({ default: '', description: 'Empty: var/ beside package.json.' }),
    homeCountry: Type.String({
      default: 'RU',
      pattern: '^[A-Z]{2}$',
      description: 'ISO 3166-1 alpha-2: dialling rules.',
    }),
    timeZone: Type.String({ default: 'Europe/Moscow', description: 'IANA name: when the day of a bare date ends.' }),
    labelLanguage: Type.String({
      default: 'en',
      pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$',
      description: 'Of flag labels.',
    }),
    pseudonymKeyFile: Type.String({ default: '', description: 'Empty: made in the data directory at first start.' }),
    redis: Type.Object(
      {
        url: Type.String({ default: '', description: 'Empty: this node keeps its own record. May hold a password.' }),
        caFile: Type.String({ default: '', description: 'PEM of who signed the certificate of Redis.' }),
        certFile: Type.String({ default: '', description: 'PEM, when Redis wants a client certificate.' }),
        keyFile: Type.String({ default: '', description: 'PEM of its private key.' }),
        serverName: Type.String({ default: '', description: 'Name in the certificate, when not the host of the URL.' }),
        ackReplicas: Type.Integer({
          default: 0,
          minimum: 0,
          maximum: 5,
          description: 'Replicas that must have a fact.',
        }),
        outboxMax: Type.Integer({
          // About 300 bytes each: 30 MB on disk, and half a year of reports at 25,000 a month.
          default: 100_000,
          minimum: 1,
          maximum: 10_000_000,
          description: 'Facts kept on this node while Redis is away.',
        }),
      },
      { ...strict, default: {} },
    ),
    verdict: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1' }),
        port: Type.Integer({ default: 8090, minimum: 0, maximum: 65_535 }),
        sharePort: Type.Boolean({ default: false, description: 'Whether other services may take calls on the port.' }),
        processes: Type.Integer({ default: 1, minimum: 1, maximum: 32 }),
        threads: Type.Integer({ default: DEFAULT_THREADS, minimum: 1, maximum: 64, description: 'Per process.' }),
        adapter: oneOf(['auto', 'uws', 'node'], { default: 'auto' }),
        deadlineMs: Type.Integer({ default: 50, minimum: 1, maximum: 1_000 }),
        connectionsMax: Type.Integer({
          // One call on each: answered within 50 ms by a thread that answers 40,000 a second.
          default: 2_000,
          minimum: 1,
          maximum: 1_000_000,
          description: 'Per thread.',
        }),
        callsPerWebSocket: Type.Integer({
          // Four full frames of zaslon.bin.v1, which a thread answers in some 30 ms.
          default: 4_096,
          minimum: 1,
          maximum: 65_536,
          description: 'Calls that one WebSocket may have on the way.',
        }),
        idleTimeoutSeconds: Type.Integer({ default: 60, minimum: 8, maximum: 960 }),
        frozenSeconds: Type.Integer({
          // Longer than any work of a verdict process on a list, or a disk that is busy: calls are answered meanwhile.
          default: 15,
          minimum: 3,
          maximum: 3_600,
          description: 'A process or thread that does not move for so long is killed and started again.',
        }),
        sampleOneIn: Type.Integer({
          default: 100,
          minimum: 1,
          maximum: 1_000_000,
          description: 'Callers in the decision log.',
        }),
        recentCalls: Type.Integer({
          // 60 s of 17,000 calls a second: the peak of a node that takes 6,000 on average.
          default: 1_048_576,
          minimum: 1_024,
          maximum: 16_777_216,
          description: 'Per process; 80 bytes each.',
        }),
        pairsPerDay: Type.Integer({
          // 24 new pairs a second all day long. A day that is full is not counted as complete, and nothing else happens.
          default: 2_097_152,
          minimum: 1_024,
          maximum: 67_108_864,
          description: 'Pairs that call on a day, remembered for seven, per process; 33 bytes each.',
        }),
        reputations: Type.Integer({
          default: 65_536,
          minimum: 1_024,
          maximum: 16_777_216,
          description: 'Reported numbers whose reputation is kept in memory, per process; 256 bytes each.',
        }),
        listTableBytes: Type.Integer({
          // 300 million numbers of one country without expiry. Each list that does not fit costs its callers a look-up on disk.
          default: 268_435_456,
          minimum: 0,
          maximum: 17_179_869_184,
          description: 'Memory for listed numbers, per process: about 1 byte each, 9 on lists where any expires.',
        }),
        callersPerHour: Type.Integer({
          default: 524_288,
          minimum: 1_024,
          maximum: 16_777_216,
          description: 'Per thread, for the impact of a list; 32 bytes each.',
        }),
        activeNumbers: Type.Integer({
          // A call touches three rows: its caller, its callee, the caller's block. 130,000 callers and callees of two days.
          default: 524_288,
          minimum: 1_024,
          maximum: 8_388_608,
          description: 'Rows of activity, per process; the longest unseen makes room; 219 bytes each.',
        }),
        blocks: Type.Integer({
          default: 262_144,
          minimum: 1_024,
          maximum: 16_777_216,
          description: 'Blocks around reported numbers, per process; 32 bytes each.',
        }),
        recentEnds: Type.Integer({
          default: 131_072,
          minimum: 1_024,
          maximum: 16_777_216,
          description: 'Call ends remembered for 5 minutes, so that one told twice counts once; 16 bytes each.',
        }),
      },
      { ...strict, default: {} },
    ),
    admin: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1' }),
        port: Type.Integer({ default: 8080, minimum: 0, maximum: 65_535 }),
      },
      { ...strict, default: {} },
    ),
    keys: Type.Array(
      Type.Object(
        {
          name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,47}$' }),
          role: oneOf(ROLES),
          sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the key, hexadecimal.' }),
        },
        strict,
      ),
      { default: [], maxItems: 1_000 },
    ),
    trunks: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 64 }),
          kind: oneOf(INGRESS_KINDS),
          screening: oneOf(SCREENING_MODES, { default: 'enforce' }),
          failMode: oneOf(FAIL_MODES, { default: 'open' }),
        },
        strict,
      ),
      { default: [], maxItems: 65_000 },
    ),
    imports: Type.Object(
      {
        bytesMax: Type.Integer({ default: 2_147_483_648, minimum: 1_024, maximum: 68_719_476_736 }),
        heldRemovedShare: Type.Number({
          default: 0.2,
          minimum: 0,
          maximum: 1,
          description: 'An import that removes a larger share is held.',
        }),
        heldCallsShare: Type.Number({
          default: 0.01,
          minimum: 0,
          maximum: 1,
          description: 'An import that would block more of the last day is held.',
        }),
      },
      { ...strict, default: {} },
    ),
    decisionLog: Type.Object(
      {
        segmentBytes: Type.Integer({ default: 67_108_864, minimum: 65_536, maximum: 1_073_741_824 }),
        retentionDays: Type.Integer({ default: 30, minimum: 1, maximum: 3_650 }),
        bytesMax: Type.Integer({ default: 4_294_967_296, minimum: 1_048_576, maximum: 1_099_511_627_776 }),
      },
      { ...strict, default: {} },
    ),
    log: Type.Object(
      { level: oneOf(['error', 'warn', 'info', 'debug'], { default: 'info' }) },
      { ...strict, default: {} },
    ),
  },
  strict,
)
export type Config = Static<typeof CONFIG_SCHEMA>
