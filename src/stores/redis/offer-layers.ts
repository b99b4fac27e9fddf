/**
 * Contents go before the facts that need them, also when a fact is offered again: what lost the fact may have lost them.
 *
 * ```
 *   list-stage black   layers on their way: not yet        ─┐ held back together: a version is activated
 *   list-activate black                                    ─┘ by its number, so its list keeps its order
 *   policy-put         goes
 *   desk-rows          holds back everything: it may replace all of it
 * ```
 */
import { ScreeningError } from '../../domain/errors.ts'
import { DESK_PARTITION, type FactBody } from '../fact.ts'
import { decodeFact } from '../fact-codec.ts'
import { layersOfFact } from '../kept-layers.ts'
import type { Outbox, OutboxFact } from '../lmdb/outbox.ts'
import type { LayerRef } from '../ports.ts'
import type { LayerTraffic } from './redis-record-store.ts'

export type LayerOffersDependencies = {
  readonly outbox: Pick<Outbox, 'has'>
  readonly layers: Pick<LayerTraffic, 'push' | 'fetch' | 'has'>
  readonly onFault: (error: unknown) => void
}

/** A layer that neither Redis nor this node has is asked for in Redis by looking for it there: who has it pushes it. */
const RETRY_MS = 1_000
/**
 * So often. Then the fact goes without: its contents may have been dropped everywhere because a later fact put another version
 * in force, and that one may wait behind it; or they are damaged on this node, and another one may have them.
 */
const TRIES_MAX = 3
/** Of what all other lines wait for. */
const EVERYTHING = 'everything'

/**
 * Asked for the facts of the outbox in their order. False: layers of the fact, or of one before it for the same list, are not
 * in Redis yet; they are being brought there, and asking again some time later is all there is to do.
 */
export function createLayerOffers({ outbox, layers, onFault }: LayerOffersDependencies): (fact: OutboxFact) => boolean {
  const pushes = new Map<string, 'pushing' | 'pushed'>()
  const tries = new Map<string, number>()
  /** Line (lineOf) to the fact that holds it back. */
  const held = new Map<string, string>()

  function push(factId: string, needed: readonly LayerRef[]): void {
    pushes.set(factId, 'pushing')
    const again = () => setTimeout(() => pushes.delete(factId), RETRY_MS).unref()
    const tried = () => {
      const count = (tries.get(factId) ?? 0) + 1
      tries.set(factId, count)
      if (count >= TRIES_MAX) pushes.set(factId, 'pushed')
      else again()
    }
    bring(needed, layers).then(
      (isThere) => (isThere ? pushes.set(factId, 'pushed') : tried()),
      (error: unknown) => {
        onFault(error)
        if (isPassing(error)) again()
        else tried()
      },
    )
  }

  function isHeld(line: string, factId: string): boolean {
    const holder = held.get(line)
    return holder !== undefined && holder !== factId && outbox.has(holder)
  }

  return ({ factId, payload, partition }) => {
    if (partition !== DESK_PARTITION) return true
    const fact = readFact(payload)
    if (fact === undefined) return true
    const line = lineOf(fact) ?? factId
    if (isHeld(line, factId) || isHeld(EVERYTHING, factId)) return false
    const needed = layersOfFact(fact)
    if (needed.length === 0 || pushes.get(factId) === 'pushed') {
      pushes.delete(factId)
      tries.delete(factId)
      held.delete(line)
      return true
    }
    held.set(line, factId)
    if (!pushes.has(factId)) push(factId, needed)
    return false
  }
}

/** Undefined: of a newer version, or no fact; what becomes of it is not for us to say. */
function readFact(payload: Buffer): FactBody | undefined {
  try {
    return decodeFact(payload)
  } catch {
    return undefined
  }
}

/** False: neither this node nor Redis has one of them; the others are in Redis. */
async function bring(needed: readonly LayerRef[], layers: LayerOffersDependencies['layers']): Promise<boolean> {
  const missing = needed.filter((layer) => !layers.has(layer))
  const gone = missing.length > 0 ? await layers.fetch(missing) : []
  await layers.push(needed.filter((layer) => !gone.includes(layer)))
  return gone.length === 0
}

/** Redis is away or full, or this node's disk is: no fault of the contents. */
function isPassing(error: unknown): boolean {
  return error instanceof ScreeningError && (error.code === 'UNAVAILABLE' || error.code === 'STORAGE_FULL')
}

/** Facts of one list, or of one plan, keep their order. */
function lineOf(fact: FactBody): string | undefined {
  if (fact.kind === 'desk-rows') return EVERYTHING
  if (fact.kind === 'numbering-put') return `plan ${fact.plan.name}`
  const isOfList = fact.kind === 'list-put' || fact.kind === 'list-stage' || fact.kind === 'list-activate'
  return isOfList ? `list ${fact.name}` : undefined
}
