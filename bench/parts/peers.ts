/** Verdicts of one core against what a team would build first: the same lists, the same answers. */
import { interleave, ROUNDS } from '../lib/interleave.ts'
import type { Say } from '../lib/run-bench.ts'
import { startWorld } from '../lib/standard-world.ts'
import { median } from '../lib/stats.ts'
import {
  coreRatio,
  measureSides,
  ROUND_HEAD,
  type Rounds,
  rateRatio,
  ratioCells,
  roundCells,
  type Side,
} from '../load/comparison.ts'
import { type Contender, serviceContender } from '../load/contender.ts'
import { comparedForms, formsOf } from '../load/forms.ts'
import { checkSameAnswers } from '../load/round.ts'
import { missingKamailio, startKamailio } from '../peers/kamailio.ts'
import { type RedisPeers, startRedisPeers } from '../peers/redis-peers.ts'
import { missingSipp, openSip, type SipRound } from '../peers/sip.ts'
import type { Measured, Part, PartOptions, PartResult, ResultTable } from '../suite/part.ts'
import { plain } from '../suite/print-result.ts'

const FULL = { listed: 1_000_000, rounds: ROUNDS, seconds: 1.5, sipCalls: 20_000 }
const QUICK = { listed: 50_000, rounds: 3, seconds: 0.4, sipCalls: 5_000 }

type SideId = 'redis' | 'pipelined' | 'bloom' | 'post' | 'get' | 'kamailio' | 'binary'
type Scale = typeof FULL
type Started = {
  readonly ours: Contender
  readonly redis: RedisPeers | undefined
  readonly kamailio: Contender | undefined
  /** Sentences about what there is not. */
  readonly missing: readonly string[]
}

export const part: Part = {
  about: 'verdicts a second against fastify with Redis, with bloom-filters, and against Kamailio with htable',
  minutes: 5,
  run: runPeers,
}

async function runPeers({ quick, say }: PartOptions): Promise<PartResult> {
  const scale: Scale = quick ? QUICK : FULL
  const started = await start(scale.listed, quick, say)
  const same = await checkAnswers(started, scale.listed)
  const rounds: Partial<Rounds<SideId>> = await measureSides(sidesOf(started, scale.listed), { ...scale, quick }, say)
  const why = [...started.missing]
  const sip = started.kamailio === undefined ? undefined : await measureSip(started.kamailio, scale, say, why)
  return {
    measured: measuredOf(rounds),
    tables: [tableOf(rounds, sip, scale, [...why, same])],
    raw: { ...scale, same, missing: why, rounds, sip },
  }
}

async function start(listed: number, isQuick: boolean, say: Say): Promise<Started> {
  const noKamailio = missingKamailio()
  say(`Zaslon, fastify with Redis and bloom-filters${noKamailio === undefined ? ', Kamailio' : ''}`)
  const [world, redis, kamailio] = await Promise.all([
    startWorld({ listed, hasHistory: false, isQuick }, say),
    startRedisPeers(listed),
    noKamailio === undefined ? startKamailio(listed) : undefined,
  ])
  const noRedis = redis === undefined ? 'Redis is missing: apt-get install redis-server redis-tools' : undefined
  const missing = [noRedis, noKamailio].filter((text) => text !== undefined)
  for (const text of missing) say(text)
  return { ours: serviceContender('Zaslon', world), redis, kamailio, missing }
}

function checkAnswers({ ours, redis, kamailio }: Started, listed: number): Promise<string> {
  const { post, get, binary1 } = comparedForms(listed)
  return checkSameAnswers([
    ...[post, get, binary1].map((form) => ({ contender: ours, form })),
    ...Object.values(redis ?? {}).map((contender) => ({ contender, form: post })),
    ...(kamailio === undefined ? [] : [{ contender: kamailio, form: get }]),
  ])
}

function sidesOf({ ours, redis, kamailio }: Started, listed: number): Side<SideId>[] {
  const { post, get, binary256 } = formsOf({ listed, hasEnds: false })
  const sides: Side<SideId>[] = []
  if (redis !== undefined) {
    sides.push({ id: 'pipelined', contender: redis.pipelined, form: post })
    sides.push({ id: 'redis', contender: redis.plain, form: post })
  }
  sides.push({ id: 'post', contender: ours, form: post })
  if (redis !== undefined) sides.push({ id: 'bloom', contender: redis.bloom, form: post })
  sides.push({ id: 'get', contender: ours, form: get })
  if (kamailio !== undefined) sides.push({ id: 'kamailio', contender: kamailio, form: get })
  sides.push({ id: 'binary', contender: ours, form: binary256 })
  return sides
}

/** sipp is slower than Kamailio is: what counts is the processor time of a call. */
async function measureSip(
  kamailio: Contender,
  scale: Scale,
  say: Say,
  missing: string[],
): Promise<readonly SipRound[] | undefined> {
  const noSipp = missingSipp()
  if (noSipp !== undefined) {
    missing.push(noSipp)
    return undefined
  }
  say('SIP')
  const sip = await openSip(kamailio, scale.listed)
  return (await interleave(['sip'], scale.rounds, () => sip.measure(scale.sipCalls))).sip
}

function measuredOf(rounds: Partial<Rounds<SideId>>): PartResult['measured'] {
  const { post, get, binary, redis, bloom, kamailio } = rounds
  const all: [string, Measured | undefined][] = [
    ['post-vs-fastify-ioredis', post && redis && rateRatio(post, redis)],
    ['post-vs-fastify-bloom', post && bloom && rateRatio(post, bloom)],
    ['get-vs-kamailio', get && kamailio && coreRatio(get, kamailio)],
    ['binary-vs-kamailio', binary && kamailio && coreRatio(binary, kamailio)],
  ]
  return Object.fromEntries(all.filter(([, measured]) => measured !== undefined))
}

const ROWS: readonly { readonly id: SideId; readonly form: string; readonly server: string; readonly ours: SideId }[] =
  [
    { id: 'post', form: 'HTTP POST', server: 'Zaslon', ours: 'post' },
    { id: 'redis', form: 'HTTP POST', server: 'fastify + ioredis', ours: 'post' },
    { id: 'pipelined', form: 'HTTP POST', server: 'fastify + ioredis, auto-pipelining', ours: 'post' },
    { id: 'bloom', form: 'HTTP POST', server: 'fastify + bloom-filters + ioredis', ours: 'post' },
    { id: 'get', form: 'HTTP GET', server: 'Zaslon', ours: 'get' },
    { id: 'kamailio', form: 'HTTP GET', server: 'Kamailio xhttp + htable', ours: 'get' },
    { id: 'binary', form: 'WebSocket binary, 256 a frame', server: 'Zaslon', ours: 'binary' },
  ]

function tableOf(
  rounds: Partial<Rounds<SideId>>,
  sip: readonly SipRound[] | undefined,
  { listed }: Scale,
  sentences: readonly string[],
): ResultTable {
  const rows = ROWS.map(({ id, form, server, ours }) => {
    const [own, base] = [rounds[id], rounds[ours]]
    if (own === undefined || base === undefined) return [form, server, 'not run', '', '', '', '', '']
    const compared = id === ours ? ['', ''] : ratioCells(base, own)
    return [form, server, ...roundCells(own), ...compared]
  })
  return {
    title: 'Verdicts a second on one core, against what one would build first',
    head: ['form', 'server', ...ROUND_HEAD, 'Zaslon to it', 'per core'],
    rows: [...rows, sipRow(sip)],
    note:
      `${plain(listed)} numbers listed for all, 5 in 1,000 callers of them, no ends. The others look the caller up; Zaslon makes its whole decision ` +
      'and writes its log. Each side has core 0 alone; what counts is the processor time of our verdict process, of the node process and Redis, of all processes of Kamailio; the ' +
      `generator has core 1. ${sentences.join(' ')}`,
  }
}

function sipRow(sip: readonly SipRound[] | undefined): string[] {
  const [form, server] = ['SIP INVITE (sipp)', 'Kamailio + htable']
  if (sip === undefined) return [form, server, 'not run', '', '', '', '', '']
  const [rate, micros] = [
    median(sip.map((round) => round.perSecond)),
    median(sip.map((round) => round.cpuMicroseconds)),
  ]
  return [
    form,
    server,
    plain(rate),
    `${micros.toFixed(1)} µs`,
    `${Math.round((rate * micros) / 1e4)} %`,
    'sipp',
    '',
    '',
  ]
}
