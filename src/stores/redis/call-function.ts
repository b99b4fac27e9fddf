import type { Cluster, Redis } from 'ioredis'
import { ScreeningError } from '../../domain/errors.ts'
import { type FunctionName, functionName, LIBRARY } from './functions.ts'
import type { RedisLine } from './redis-link.ts'

export type FunctionArguments = { readonly keys: readonly string[]; readonly args: readonly (string | Buffer)[] }

/** The answer of one of our functions, texts as Buffers. A master that does not know them yet is given the library. */
export async function callFunction(
  link: RedisLine,
  name: FunctionName,
  doing: string,
  { keys, args }: FunctionArguments,
): Promise<unknown> {
  const command = name === 'read' || name === 'find' ? 'fcall_ro' : 'fcall'
  const send = () => link.client.callBuffer(command, functionName(name), keys.length, ...keys, ...args)
  return await link.call(doing, () => withLibrary(link.client, send))
}

/** Runs it, and once more after loading the library when a master answered that it has no such function. */
export async function withLibrary<T>(client: Redis | Cluster, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('Function not found')) throw error
  }
  await loadLibrary(client)
  return await send()
}

const LOAD_REFUSED = /NOPERM|OOM|MISCONF|NOREPLICAS|Error compiling/

async function loadLibrary(client: Redis | Cluster): Promise<void> {
  const masters = 'nodes' in client ? client.nodes('master') : [client]
  const loaded = await Promise.allSettled(masters.map((master) => master.call('FUNCTION', 'LOAD', LIBRARY)))
  for (const one of loaded) {
    // Another node was first, or a master is away: the next send says what matters.
    if (one.status === 'rejected' && LOAD_REFUSED.test(String(one.reason))) throw one.reason
  }
}

export function textAt(reply: unknown, index: number): string {
  const value: unknown = Array.isArray(reply) ? reply[index] : undefined
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value)
}

/** Throws STORAGE_FAILED when there is no number there that our functions can have given. */
export function numberAt(reply: unknown, index: number): number {
  const text = textAt(reply, index)
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw new ScreeningError('STORAGE_FAILED', 'A function of Zaslon in Redis gave an answer that is not its own.', {
    hint: 'Remove what took its place: FUNCTION LIST shows the libraries, FUNCTION DELETE removes one; it is loaded again by itself.',
  })
}
