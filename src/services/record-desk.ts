import { ScreeningError } from '../domain/errors.ts'
import type { RecordView } from '../domain/record-view.ts'
import type { Actor } from '../stores/ports.ts'

export type { RecordState, RecordView } from '../domain/record-view.ts'

/** What an operator decides when Redis and this node disagree. */
export type RecordDesk = {
  view(): RecordView
  /** Redis is right: this node takes its state from there, whatever it had. Rejects with RECORD_EMBEDDED, UNAVAILABLE … */
  accept(actor: Actor): Promise<void>
  /**
   * This node is right: the partitions that are lost, diverged or damaged are written anew from it. Rejects with
   * RECORD_FOREIGN when Redis holds another record, unless it is to be replaced: then that one is removed first.
   */
  restore(actor: Actor, options: { readonly replace: boolean }): Promise<void>
}

/** Of a node that is its own record: there is nothing to decide, both words reject with RECORD_EMBEDDED. */
export const embeddedRecordDesk: RecordDesk = {
  view: () => ({ kind: 'embedded' }),
  accept: refuseEmbedded,
  restore: refuseEmbedded,
}

async function refuseEmbedded(): Promise<never> {
  throw new ScreeningError('RECORD_EMBEDDED', 'This node is its own record: there is no other to take or to write.', {
    hint: 'Restore a backup of the data directory; set ZASLON_REDIS_URL to share a record.',
  })
}
