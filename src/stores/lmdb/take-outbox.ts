/** What waits in the outbox becomes part of the record here, without Redis. */
import { ScreeningError } from '../../domain/errors.ts'
import type { Fact, FactResults } from '../fact.ts'
import { decodeFact } from '../fact-codec.ts'
import { layersOfFact } from '../kept-layers.ts'
import type { LayerRef } from '../ports.ts'
import { applyFact } from './apply-fact.ts'
import { RowFailure, type Step } from './commit-queue.ts'
import type { Environment } from './environment.ts'
import type { Outbox, OutboxFact } from './outbox.ts'

/** Of facts that waited in the outbox. */
export type TakenFacts = { readonly taken: number; readonly refused: number }

export type OutboxSource = { readonly outbox: Outbox; readonly hasLayer: (layer: LayerRef) => boolean }

/** In memory at a time. */
const FACTS_AT_ONCE = 1_000

/** Applies them in their order. One that is refused, or whose contents are not here, is dropped with a line in the audit log. */
export function takeOutbox(environment: Environment, step: Step, { outbox, hasLayer }: OutboxSource): TakenFacts {
  let taken = 0
  let refused = 0
  for (;;) {
    const facts = step((writes) => outbox.take(writes, FACTS_AT_ONCE))
    if (facts.length === 0) return { taken, refused }
    for (const waiting of facts) {
      const isTaken = takeOne(environment, step, { waiting, hasLayer })
      if (isTaken) taken++
      else refused++
    }
  }
}

function takeOne(
  environment: Environment,
  step: Step,
  { waiting, hasLayer }: { waiting: OutboxFact; hasLayer: OutboxSource['hasLayer'] },
): boolean {
  let kind = 'unknown'
  try {
    const fact = decodeFact(waiting.payload)
    kind = fact.kind
    step(
      (writes) => {
        const layers = layersOf(fact, applyFact(environment, writes, fact))
        if (!layers.every(hasLayer)) throw contentsMissing()
      },
      { atMs: fact.atMs },
    )
    return true
  } catch (error) {
    if (error instanceof RowFailure) throw error
    const code = error instanceof ScreeningError ? error.code : 'INTERNAL'
    step((writes) => writes.audit('system', 'record.drop', waiting.factId, { kind, code }))
    return false
  }
}

function layersOf(fact: Fact, result: unknown): readonly LayerRef[] {
  if (fact.kind !== 'list-activate') return layersOfFact(fact)
  return (result as FactResults['list-activate']).list.active.layers
}

function contentsMissing(): ScreeningError {
  return new ScreeningError('CONTENTS_MISSING', 'The contents of the list are not on this node.')
}
