/** Verdicts of one thread in every form they can be asked for, against the limit and against other HTTP libraries. */

import { ROUNDS } from '../lib/interleave.ts'
import { median } from '../lib/stats.ts'
import { svgChart } from '../lib/svg-chart.ts'
import {
  coreRatio,
  measureSides,
  ROUND_HEAD,
  type Rounds,
  rateOf,
  rateRatio,
  ratioCells,
  roundCells,
  type Side,
} from '../load/comparison.ts'
import { CONTENDER_IDS, type ContenderId, type Contenders, NAMES, startContenders } from '../load/contenders.ts'
import { crossCheck } from '../load/cross-check.ts'
import { BINARY_SIZES, comparedForms, type FormId, formsOf } from '../load/forms.ts'
import { checkSameAnswers, type Round } from '../load/round.ts'
import { measureThreads } from '../load/threads.ts'
import type { Part, PartOptions, PartResult, ResultChart, ResultTable } from '../suite/part.ts'
import { plain } from '../suite/print-result.ts'

const FULL = { listed: 10_000_000, rounds: ROUNDS, seconds: 1 }
const QUICK = { listed: 300_000, rounds: 3, seconds: 0.3 }

/** Who is asked in each form. Neighbours are measured one after the other. */
const SIDES: Readonly<Record<FormId, readonly ContenderId[]>> = {
  get: ['ours', 'bare'],
  batch: ['ours', 'bare'],
  pipelined: ['bare', 'ours', 'fastify', 'node'],
  post: ['node', 'fastify', 'ours', 'bare'],
  binary256: ['ours', 'bare'],
  binary1: ['ours', 'bare'],
  binary16: ['ours', 'bare'],
  binary1000: ['ours', 'bare'],
  json: ['ours', 'bare'],
}
const FORM_IDS = Object.keys(SIDES) as FormId[]
/** What the measures are taken from, and GET. */
const QUICK_FORM_IDS: readonly FormId[] = ['get', 'pipelined', 'post', 'binary256']
const SHOWN: readonly FormId[] = [
  'post',
  'get',
  'pipelined',
  'batch',
  'json',
  'binary1',
  'binary16',
  'binary256',
  'binary1000',
]

type SideId = `${FormId}:${ContenderId}`
/** Of a quick run only some. */
type LoadRounds = Partial<Rounds<SideId>>

export const part: Part = {
  about: 'verdicts a second in every form, against bare uWebSockets.js, fastify and node:http',
  minutes: 10,
  run: runLoad,
}

async function runLoad({ quick, say }: PartOptions): Promise<PartResult> {
  const scale = quick ? QUICK : FULL
  const contenders = await startContenders(scale.listed, quick, say)
  const same = await checkAnswers(contenders, scale.listed)
  const sides = sidesOf(contenders, scale.listed, quick ? QUICK_FORM_IDS : FORM_IDS)
  const rounds: LoadRounds = await measureSides(sides, { ...scale, quick }, say)
  say('wrk and autocannon')
  const checked = await crossCheck(contenders, { ...scale, quick })
  await Promise.all(Object.values(contenders).map((contender) => contender?.stop()))
  const threads = await measureThreads({ quick, listed: QUICK.listed }, say)
  const of = (form: FormId, contender: ContenderId) => {
    const found = rounds[`${form}:${contender}`]
    if (found === undefined) throw new Error(`${contender} was not asked by ${form}.`)
    return found
  }
  return {
    measured: {
      'http-vs-bare': coreRatio(of('post', 'ours'), of('post', 'bare')),
      'http-vs-fastify': rateRatio(of('post', 'ours'), of('post', 'fastify')),
      'pipelined-vs-fastify': rateRatio(of('pipelined', 'ours'), of('pipelined', 'fastify')),
      'binary-rate': rateOf(of('binary256', 'ours')),
      'binary-vs-http': rateRatio(of('binary256', 'ours'), of('post', 'ours')),
      'threads-cpu': threads.measured,
    },
    tables: [loadTable(rounds, scale.listed, same), checked.table, threads.table],
    charts: quick ? [] : [chartOf(of)],
    raw: { ...scale, same, rounds, crossCheck: checked.raw, threads: threads.raw },
  }
}

function checkAnswers({ ours, node, fastify }: Contenders, listed: number): Promise<string> {
  const forms = comparedForms(listed)
  const others = [node, fastify].flatMap((contender) => contender ?? [])
  return checkSameAnswers([
    ...Object.values(forms).map((form) => ({ contender: ours, form })),
    ...others.map((contender) => ({ contender, form: forms.post })),
  ])
}

function sidesOf(contenders: Contenders, listed: number, formIds: readonly FormId[]): Side<SideId>[] {
  const forms = formsOf({ listed })
  return formIds.flatMap((form) =>
    SIDES[form].flatMap((id) => {
      const contender = contenders[id]
      return contender === undefined ? [] : [{ id: `${form}:${id}` as const, contender, form: forms[form] }]
    }),
  )
}

function loadTable(rounds: LoadRounds, listed: number, same: string): ResultTable {
  const forms = formsOf({ listed })
  const rows = SHOWN.flatMap((form) =>
    CONTENDER_IDS.flatMap((id) => {
      const [own, ours] = [rounds[`${form}:${id}`], rounds[`${form}:ours`]]
      if (own === undefined || ours === undefined) return []
      return [[forms[form].name, NAMES[id], ...roundCells(own), ...(id === 'ours' ? ['', ''] : ratioCells(ours, own))]]
    }),
  )
  return {
    title: 'Verdicts a second on one core',
    head: ['form', 'server', ...ROUND_HEAD, 'Zaslon to it', 'per core'],
    rows,
    note:
      `${plain(listed)} numbers listed; of 200 callers 196 unknown, 2 known to the called, one listed, one reported; an end for each ` +
      'call, which is part of the processor time; decision log and metrics on. Each server has core 0, the generator (bench/generator) core 1; ' +
      'sides in turn. fastify and node:http carry the same decision: the whole service with another HTTP library. "Per core" compares ' +
      `verdicts a second of processor time of the verdict process, the other column rates. ${same}`,
  }
}

function chartOf(of: (form: FormId, contender: ContenderId) => readonly Round[]): ResultChart {
  const line = (id: ContenderId) => ({
    name: NAMES[id],
    points: BINARY_SIZES.map(
      (size) => [size, median(of(`binary${size}`, id).map(({ perSecond }) => perSecond)) / 1e6] as const,
    ),
  })
  const lines = [line('ours'), line('bare')]
  const most = Math.max(...lines.flatMap(({ points }) => points.map(([, rate]) => rate)))
  const step = most > 4 ? 2 : most > 2 ? 1 : 0.5
  const ticks = Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step)
  return {
    name: 'load-binary',
    alt: 'Verdicts a second of one core by events in a frame, binary WebSocket, Zaslon and bare uWebSockets.js',
    svg: svgChart({
      title: 'Binary WebSocket, one core',
      x: { label: 'events in a frame', min: 1, max: 1_000, ticks: [...BINARY_SIZES], isLog: true },
      y: { label: 'million verdicts a second', min: 0, max: ticks.at(-1) ?? 1, ticks },
      lines,
    }),
  }
}
