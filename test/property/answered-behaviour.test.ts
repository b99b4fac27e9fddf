import fc from 'fast-check'
import { expect, it } from 'vitest'
import { INGRESS_KINDS } from '../../src/domain/call-event.ts'
import { explain } from '../../src/engine/explain.ts'
import { takeBehaviour } from '../../src/engine/known.ts'
import { answerBehaviour } from '../../src/processes/answer-behaviour.ts'
import { anyCall, world } from '../fixtures/random-world.ts'
import { call, HOME, openWorld } from '../fixtures/screening-world.ts'

/** The control process has no behaviour of its own: it asks a verdict process, which does not know lists or policy. */
it('an explanation is the same, whether its behaviour was read here or asked of another process', () => {
  fc.assert(
    fc.property(world, anyCall, (described, fields) => {
      const opened = openWorld(described)
      const asked = call(fields)
      const kind = opened.snapshot.trunks[asked.trunk]?.kind ?? 'unknown'
      const question = { ...asked, ingress: asked.ingress || INGRESS_KINDS.indexOf(kind) }
      const answer = structuredClone(answerBehaviour(question, opened.behaviour))
      const remote = explain(asked, opened.snapshot, {
        lookup: opened.lookup,
        home: HOME,
        entryDetails: () => ({}),
        gatherBehaviour: (_call, evidence) => takeBehaviour(evidence, answer),
      })
      expect(remote).toEqual(opened.explain(fields))
    }),
    { numRuns: 300 },
  )
})
