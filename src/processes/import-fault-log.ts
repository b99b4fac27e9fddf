import { ScreeningError } from '../domain/errors.ts'
import { isAway } from '../services/patience.ts'

type Log = { warn(fields: object, text: string): void; error(fields: object, text: string): void }

/** A record that takes no writes now is said of the record itself, and passes; another fault needs somebody. */
export function importFaultLog(log: Log): (error: unknown) => void {
  return (error) => {
    const isDisk = error instanceof ScreeningError && error.code.startsWith('STORAGE_')
    if (isAway(error) && !isDisk) log.warn({ err: error }, 'an import could not write to the record, which is away')
    else log.error({ err: error }, 'an import met a fault')
  }
}
