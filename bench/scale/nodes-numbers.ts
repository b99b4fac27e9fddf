import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningService } from '../../test/support/run-service.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { openKeptConnection } from '../lib/kept-connection.ts'
import { printTable } from '../lib/print-table.ts'
import { recordResult } from '../lib/record-result.ts'
import type { Say } from '../lib/run-bench.ts'
import { importFile, prepareBy } from '../lib/service-client.ts'
import { redisVersion, startSharedRecord } from '../lib/shared-record.ts'
import { round, spread } from '../lib/stats.ts'
import { within } from '../lib/wait-until.ts'

/**
 * A large list in the record: from the first byte of its import on A until A says it is active, and until B blocks the
 * last number of it. A and B run side by side, on the same cores. Then a new node, until it is ready and blocks it too, with A
 * and B still there. Each repeat has servers and nodes of its own: no list of an earlier one is fetched along.
 */
const ASK_EVERY_MS = 5
const GIVE_UP_MS = 300_000
const LIMITS = { blockedOnBSeconds: { must: 30, aim: 10 }, newNodeSeconds: { must: 60, aim: 20 } } as const

export type NumbersOptions = { readonly rows: number; readonly repeats: number; readonly quick: boolean }
type Taken = { readonly activeOnASeconds: number; readonly blockedOnBSeconds: number; readonly newNodeSeconds: number }

export async function benchNodesNumbers(options: NumbersOptions, say: Say): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  const file = path.join(directory, 'numbers.csv')
  const rounds: Taken[] = []
  let redis = ''
  try {
    say(`writes a file of ${options.rows} numbers`)
    writeNumbersFile(file, options.rows)
    for (let repeat = 1; repeat <= options.repeats; repeat++) {
      const record = await startSharedRecord({ isCluster: false })
      redis = redisVersion(record.servers)
      try {
        const a = await record.startNode('a')
        const b = await record.startNode('b')
        say(`round ${repeat} of ${options.repeats}: import on A`)
        const imported = await timeImport({ a, b }, file, options.rows)
        say(`active on A after ${imported.activeOnASeconds} s, blocked on B after ${imported.blockedOnBSeconds} s`)
        const startMs = performance.now()
        const onWait = (seconds: number) => say(`new node: ${seconds} s, not ready yet`)
        const fresh = await record.startNode('new', { onWait, waitMs: GIVE_UP_MS })
        const newNodeSeconds = await untilListed(fresh, lastNumber(options.rows), startMs)
        say(`new node ready after ${newNodeSeconds} s`)
        rounds.push({ ...imported, newNodeSeconds })
      } finally {
        await record.close()
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  const name = options.quick ? 'nodes-catch-up-numbers-quick' : 'nodes-catch-up-numbers'
  recordResult(name, { ...options, redis, limits: LIMITS, rounds })
  const row = (what: string, key: keyof Taken, { must, aim }: { must: number | string; aim: number | string }) => [
    what,
    rounds.length,
    spread(rounds.map((one) => one[key])),
    must,
    aim,
  ]
  printTable(
    [`${options.rows} numbers, seconds`, 'n', 'median (range)', 'must (10 M)', 'aim'],
    [
      row('imported on A, active on A', 'activeOnASeconds', { must: '', aim: '' }),
      row('imported on A, blocked on B', 'blockedOnBSeconds', LIMITS.blockedOnBSeconds),
      row('new node ready', 'newNodeSeconds', LIMITS.newNodeSeconds),
    ],
  )
}

type Nodes = { readonly a: RunningService; readonly b: RunningService }

async function timeImport({ a, b }: Nodes, file: string, rows: number): Promise<Omit<Taken, 'newNodeSeconds'>> {
  await prepareBy(a, 'PUT', '/v1/lists/large', { kind: 'deny' })
  const startMs = performance.now()
  const [{ record, seconds }, blockedOnBSeconds] = await Promise.all([
    importFile(a, 'large', file, 'mode=replace'),
    untilListed(b, lastNumber(rows), startMs),
  ])
  if (record.state !== 'active') throw new Error(`The import ended ${record.state}:\n${JSON.stringify(record)}`)
  return { activeOnASeconds: round(seconds), blockedOnBSeconds }
}

function lastNumber(rows: number): string {
  return generatedNumber(rows - 1)
}

/** Resolves with the seconds since `startMs`. */
async function untilListed(node: RunningService, number: string, startMs: number): Promise<number> {
  const connection = await openKeptConnection(node.verdictPort)
  const ask = async () => {
    while ((await connection.verdict(number)) !== 'block') await sleep(ASK_EVERY_MS)
  }
  try {
    await within('a node blocks the last number of the list', GIVE_UP_MS, ask())
  } finally {
    connection.close()
  }
  return round((performance.now() - startMs) / 1000)
}
