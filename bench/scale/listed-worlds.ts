import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataDirectoryAt } from '../../src/stores/data-directory.ts'
import { LISTS_FILE } from '../../src/stores/lmdb/list-contents.ts'
import type { ListVersion } from '../../src/stores/ports.ts'
import { type RunningService, runService } from '../../test/support/run-service.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { openKeptConnection } from '../lib/kept-connection.ts'
import { call, importFile } from '../lib/service-client.ts'
import { makeContacts, writeReports } from '../lib/standard-world.ts'
import { within } from '../lib/wait-until.ts'
import { type NodeMemory, nodeMemory, peakWhile } from './node-memory.ts'
import { importParts, rowsOfSecondVersion } from './sizes.ts'

/** What one size of the deny list costs, apart from calls. */
export type ListedCosts = {
  readonly listed: number
  /** From the first byte to active, all uploads together. */
  readonly importSeconds: number
  /** From `zaslon serve` to ready, with the list stored. */
  readonly startSeconds: number
  readonly steady: NodeMemory
  /** While a version as large comes into force, and the one before goes. */
  readonly swap: NodeMemory
  /** In lists.mdb and the gate file, of one version. */
  readonly diskBytes: number
}

const LIST = 'large'
const START_MS = 120_000
const SWAP_MS = 120_000
/** Seldom, so that the caller who asks does not become conspicuous. */
const ASK_EVERY_MS = 250
/** Until what a start or a swap has left behind is given back to the system. */
const SETTLE_MS = 1_000

/** A node on a data directory that stays; `configuration` is the text of zaslon.yaml. */
export function startNode(dataDirectory: string, configuration: string): Promise<RunningService> {
  const file = path.join(os.tmpdir(), 'zaslon.yaml')
  writeFileSync(file, configuration)
  return runService({
    dataDirectory,
    processes: 1,
    threads: 1,
    waitMs: START_MS,
    environment: { ZASLON_CONFIG: file },
  })
}

/** A data directory with nobody listed; with history: with reported numbers and contacts, else empty. */
export async function makeBase(configuration: string, hasHistory: boolean): Promise<string> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'base-'))
  if (!hasHistory) return directory
  await writeReports(directory)
  const service = await startNode(directory, configuration)
  try {
    await makeContacts(service)
  } finally {
    await service.stop()
  }
  return directory
}

export function copyOf(directory: string): string {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'world-'))
  cpSync(directory, copy, { recursive: true })
  return copy
}

/**
 * Lists so many numbers in a copy of `base`, and measures what that costs. Returns the data directory too, with the list
 * stored and no node on it. Throws when the node refuses the list or is not ready in time.
 */
export async function measureListed(
  base: string,
  listed: number,
  configuration: string,
): Promise<{ costs: ListedCosts; directory: string }> {
  const directory = copyOf(base)
  try {
    const stored = await importVersions(directory, listed, configuration)
    const startMs = performance.now()
    const service = await startNode(directory, configuration)
    const startSeconds = (performance.now() - startMs) / 1_000
    try {
      await sleep(SETTLE_MS)
      const steady = nodeMemory(service)
      const swap = await swapTwice(service, listed)
      return { costs: { listed, ...stored, startSeconds, steady, swap }, directory }
    } finally {
      await service.stop()
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

/** The list, a second version of it a little larger, and the first one in force again. */
async function importVersions(
  directory: string,
  listed: number,
  configuration: string,
): Promise<Pick<ListedCosts, 'importSeconds' | 'diskBytes'>> {
  const service = await startNode(directory, configuration)
  try {
    await call(service, 'PUT', `/v1/lists/${LIST}`, { kind: 'deny' })
    let importSeconds = 0
    for (const { first, rows } of importParts(listed)) importSeconds += await append(service, first, rows)
    const first = await activeVersion(service)
    const before = listsBytes(directory)
    await append(service, listed, rowsOfSecondVersion(listed))
    const diskBytes = listsBytes(directory) - before + gateBytes(directory)
    await restore(service, first)
    return { importSeconds, diskBytes }
  } finally {
    await service.stop()
  }
}

async function append(service: RunningService, first: number, rows: number): Promise<number> {
  const file = path.join(os.tmpdir(), 'numbers.csv')
  writeNumbersFile(file, rows, first)
  try {
    const { record, seconds } = await importFile(service, LIST, file, 'mode=append')
    if (record.state !== 'active') throw new Error(`The import ended ${record.state}: ${JSON.stringify(record)}`)
    return seconds
  } finally {
    rmSync(file, { force: true })
  }
}

/** To the second version and back, each with the other one in force before. */
async function swapTwice(service: RunningService, listed: number): Promise<NodeMemory> {
  const first = await activeVersion(service)
  const onlyInSecond = generatedNumber(listed)
  const there = await peakWhile(service, () => restore(service, first + 1, { number: onlyInSecond, isBlocked: true }))
  const back = await peakWhile(service, () => restore(service, first, { number: onlyInSecond, isBlocked: false }))
  return { verdict: Math.max(there.verdict, back.verdict), all: Math.max(there.all, back.all) }
}

type Answer = { readonly number: string; readonly isBlocked: boolean }

/** Until a caller gets the verdict, when one is given: the answer to the request waits a bounded time only. */
async function restore(service: RunningService, version: number, answer?: Answer): Promise<void> {
  await call(service, 'POST', `/v1/lists/${LIST}/restore`, { version, expectedActive: await activeVersion(service) })
  if (answer !== undefined) {
    const connection = await openKeptConnection(service.verdictPort)
    const ask = async () => {
      while (((await connection.verdict(answer.number)) === 'block') !== answer.isBlocked) await sleep(ASK_EVERY_MS)
    }
    try {
      await within('the restored version is in force', SWAP_MS, ask())
    } finally {
      connection.close()
    }
  }
  await sleep(SETTLE_MS)
}

async function activeVersion(service: RunningService): Promise<number> {
  const { versions } = await call<{ versions: (Pick<ListVersion, 'version'> & { active: boolean })[] }>(
    service,
    'GET',
    `/v1/lists/${LIST}/versions`,
  )
  return versions.find(({ active }) => active)?.version ?? 0
}

function listsBytes(directory: string): number {
  return statSync(path.join(directory, LISTS_FILE)).size
}

/** Of the largest layer. */
function gateBytes(directory: string): number {
  const { gates } = dataDirectoryAt(directory)
  return Math.max(...readdirSync(gates).map((name) => statSync(path.join(gates, name)).size))
}
