/**
 * The same rows into a service of ours and into Redis, each fresh for every round: from the first byte that the client sends until
 * every number counts for verdicts, and until redis-cli has heard the last answer. Servers have one core and clients the other.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import path from 'node:path'
import { startRedis } from '../../test/support/redis.ts'
import { type RunningService, runService } from '../../test/support/run-service.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { interleave, ratios } from '../lib/interleave.ts'
import { measuredFrom } from '../lib/measured.ts'
import { GENERATOR_CORE, pinned, stayingOnCore } from '../lib/pin.ts'
import type { Say } from '../lib/run-bench.ts'
import { call, importFile } from '../lib/service-client.ts'
import { median, round } from '../lib/stats.ts'
import type { PartResult } from '../suite/part.ts'
import { writeRespFile } from './resp-file.ts'

const KEY = 'large'
const ROWS_A_COMMAND = 1_000
/** Of these both sides are asked, and of as many that are not listed. */
const ASKED = 20

const SIDES = {
  zaslon: 'zaslon, import to active',
  single: 'redis-cli --pipe, SADD of one row',
  many: `redis-cli --pipe, SADD of ${ROWS_A_COMMAND.toLocaleString('en-US')} rows`,
} as const
type Side = keyof typeof SIDES
const sides = Object.keys(SIDES) as Side[]

export type AgainstRedis = { readonly rows: number; readonly rounds: number; readonly directory: string }

export async function compareWithRedis({ rows, rounds, directory }: AgainstRedis, say: Say): Promise<PartResult> {
  const fileOf = (side: Side) => path.join(directory, side)
  say('files are made')
  writeNumbersFile(fileOf('zaslon'), rows)
  writeRespFile(fileOf('single'), KEY, rows, 1)
  writeRespFile(fileOf('many'), KEY, rows, ROWS_A_COMMAND)
  const seconds = await stayingOnCore(GENERATOR_CORE, () =>
    interleave(sides, rounds, (side, turn) => {
      // Every server is a new one, and the files are in memory: there is nothing to warm up.
      if (turn < 0) return 0
      say(`${SIDES[side]}, round ${turn + 1} of ${rounds}`)
      return side === 'zaslon' ? importOurs(fileOf(side), rows, directory) : pipeToRedis(fileOf(side), rows)
    }),
  )
  for (const side of sides) rmSync(fileOf(side))
  return resultOf(rows, rounds, seconds)
}

function resultOf(rows: number, rounds: number, seconds: Record<Side, number[]>): PartResult {
  const ours = seconds.zaslon
  const figures = (values: readonly number[]) => {
    const [least, most] = [Math.min(...values), Math.max(...values)].map(round)
    return `${round(median(values))} (${least}-${most})`
  }
  return {
    measured: {
      'import-vs-redis': measuredFrom(ratios(seconds.single, ours), `${rows.toLocaleString('en-US')} rows`),
    },
    tables: [
      {
        title: `${rows.toLocaleString('en-US')} numbers into a running server, ${rounds} rounds in turn`,
        head: ['', 'seconds', 'rows/s', 'to ours'],
        rows: sides.map((side) => [
          SIDES[side],
          figures(seconds[side]),
          Math.round(rows / median(seconds[side])).toLocaleString('en-US'),
          figures(ratios(seconds[side], ours)),
        ]),
        note:
          'Median and range. Each round begins with a server that has nothing; all of a server runs on one core, its client on the ' +
          'other: curl at the lowest priority, redis-cli, which has more to do, at the usual one. Ours reads CSV, checks and sorts it, writes it to disk and builds gate and ' +
          'table of the verdict process; Redis is given its own protocol, made beforehand, and keeps nothing on disk. After each ' +
          'round both have all rows, and say so of some of them.',
      },
    ],
    raw: { rows, rounds, seconds },
  }
}

async function importOurs(file: string, rows: number, place: string): Promise<number> {
  const dataDirectory = mkdtempSync(path.join(place, 'data-'))
  const service = await runService({ dataDirectory, prefix: pinned() })
  try {
    await call(service, 'PUT', `/v1/lists/${KEY}`, { kind: 'deny' })
    const { record, seconds } = await importFile(service, KEY, file, 'mode=replace')
    if (record.state !== 'active') throw new Error(`The import ended ${record.state}.`)
    const { entries } = await call<{ entries: number }>(service, 'GET', `/v1/lists/${KEY}`)
    if (entries !== rows) throw new Error(`${entries} entries are active, not ${rows}.`)
    for (const { number, isMember } of askedOf(rows)) {
      const isListed = (await decisionFor(service, number)) === 'block'
      if (isListed !== isMember) throw new Error(`After the import, row ${number.slice(-4)} is wrong.`)
    }
    return seconds
  } finally {
    await service.stop()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}

async function pipeToRedis(file: string, rows: number): Promise<number> {
  const redis = await startRedis({ prefix: pinned() })
  const handle = openSync(file, 'r')
  try {
    const startMs = performance.now()
    const client = spawn('redis-cli', ['-p', String(redis.port), '--pipe'], { stdio: [handle, 'ignore', 'inherit'] })
    const [code] = await once(client, 'exit')
    const seconds = (performance.now() - startMs) / 1_000
    if (code !== 0) throw new Error(`redis-cli --pipe ended with ${code}.`)
    const members = Number(redis.cli('scard', KEY))
    if (members !== rows) throw new Error(`${members} members are in the set, not ${rows}.`)
    for (const { number, isMember } of askedOf(rows)) {
      if (redis.cli('sismember', KEY, number) !== String(Number(isMember))) {
        throw new Error(`After the pipe, row ${number.slice(-4)} is wrong.`)
      }
    }
    return seconds
  } finally {
    closeSync(handle)
    await redis.close()
  }
}

function askedOf(rows: number): { number: string; isMember: boolean }[] {
  const step = Math.floor(rows / ASKED)
  return Array.from({ length: ASKED }, (_, index) => [
    { number: generatedNumber(index * step), isMember: true },
    { number: generatedNumber(rows + index), isMember: false },
  ]).flat()
}

async function decisionFor(service: RunningService, caller: string): Promise<string> {
  const query = `caller=${encodeURIComponent(caller)}&callee=%2B79161234567`
  const response = await fetch(`${service.verdictUrl}/v1/verdict?${query}`)
  return ((await response.json()) as { decision: string }).decision
}
