import type { NumberLookup } from '../domain/lookup.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import {
  putReputation,
  REPUTATION_WORDS_MAX,
  type ReputationTable,
  readReputationWords,
} from '../shm/reputation-table.ts'
import type { VerdictStore } from '../stores/ports.ts'

type ReputationReads = Pick<VerdictStore, 'readReputationNumbers' | 'reputationOf'>

/**
 * The same reads of the record, for the one writer of the table: whatever is read of a number is put there. Reading again what
 * has changed is all it takes to keep the table as the record is.
 */
export function keepingReputations(store: ReputationReads, table: ReputationTable): ReputationReads {
  return {
    readReputationNumbers: store.readReputationNumbers,
    reputationOf(number: PhoneNumber) {
      const record = store.reputationOf(number)
      putReputation(table, number, record)
      return record
    },
  }
}

/** The look-up of a verdict thread, with reputations from the table where it has them. No allocation per call. */
export function withKeptReputations(lookup: NumberLookup, table: ReputationTable): NumberLookup {
  const words = new Int32Array(REPUTATION_WORDS_MAX)
  const view = new DataView(words.buffer)
  return {
    entry: lookup.entry,
    reputation: (number) => (readReputationWords(table, number, words) ? view : lookup.reputation(number)),
  }
}
