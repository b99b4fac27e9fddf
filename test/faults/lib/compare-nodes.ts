import { isDeepStrictEqual } from 'node:util'
import type { RunningService } from '../../support/run-service.ts'
import { askVerdict } from '../../support/service-requests.ts'
import { ask } from './api.ts'
import { type Acknowledged, REPORTERS_TO_BLOCK } from './changes.ts'
import { LISTS, SWAPPED } from './numbers.ts'

/** Numbers that are looked at in full, spread over all that were reported. */
const NUMBERS_COMPARED = 150
const BLOCKED_ASKED = 60

/** What nodes that share a record must say with the same words: lists and their versions and rows, policies, reviews, numbers. */
export async function differences(
  nodes: readonly RunningService[],
  acknowledged: readonly Acknowledged[],
): Promise<string[]> {
  const { lists } = await ask<{ lists: { name: string }[] }>(nodes[0]!, 'GET', '/v1/lists')
  const paths = [
    '/v1/lists',
    ...lists.map(({ name }) => `/v1/lists/${name}/versions`),
    `/v1/lists/${LISTS.written}/entries?limit=10000`,
    `/v1/lists/${SWAPPED}/entries?limit=10000`,
    '/v1/policy/versions?limit=100',
    '/v1/reviews?state=open&limit=1000',
    '/v1/reviews?state=closed&limit=1000',
    ...spread(reportedNumbers(acknowledged), NUMBERS_COMPARED).map((number) => `/v1/numbers/${number.slice(1)}`),
  ]
  const found: string[] = []
  for (const path of paths) {
    const [first, ...others] = await Promise.all(nodes.map((node) => answer(node, path)))
    for (const [index, other] of others.entries()) {
      if (!isDeepStrictEqual(first, other)) found.push(`${path} of node ${index + 2}: ${firstDifference(first, other)}`)
    }
  }
  return found
}

/** Numbers that were reported often enough, and that some node lets through. */
export async function notBlocked(
  nodes: readonly RunningService[],
  acknowledged: readonly Acknowledged[],
): Promise<string[]> {
  const counts = new Map<string, number>()
  for (const { number } of acknowledged.flatMap(({ reports }) => reports)) {
    counts.set(number, (counts.get(number) ?? 0) + 1)
  }
  const numbers = [...counts.keys()].filter((number) => (counts.get(number) ?? 0) >= REPORTERS_TO_BLOCK)
  const found: string[] = []
  for (const number of spread(numbers, BLOCKED_ASKED)) {
    for (const [index, node] of nodes.entries()) {
      const { decision } = await askVerdict(node, number)
      if (decision !== 'block') found.push(`${number} at node ${index + 1}: ${decision}`)
    }
  }
  return found
}

async function answer(node: RunningService, path: string): Promise<unknown> {
  const body = await ask<Record<string, unknown>>(node, 'GET', path).catch((error: unknown) => ({
    error: String(error),
  }))
  // Decisions and calls are of the node that saw them; what is reported around a number fades until it is looked at.
  return { ...body, decisions: undefined, activity: undefined, numberBlock: undefined }
}

function reportedNumbers(acknowledged: readonly Acknowledged[]): string[] {
  return [...new Set(acknowledged.flatMap(({ reports }) => reports.map(({ number }) => number)))]
}

function spread<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count)
  return items.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step))
}

function firstDifference(one: unknown, other: unknown, at = ''): string {
  if (isObject(one) && isObject(other)) {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      if (!isDeepStrictEqual(one[key], other[key])) return firstDifference(one[key], other[key], `${at}.${key}`)
    }
  }
  return `${at} ${JSON.stringify(one)?.slice(0, 150)} / ${JSON.stringify(other)?.slice(0, 150)}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
