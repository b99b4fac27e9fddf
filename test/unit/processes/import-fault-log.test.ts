import { expect, it } from 'vitest'
import { type ErrorCode, ScreeningError } from '../../../src/domain/errors.ts'
import { importFaultLog } from '../../../src/processes/import-fault-log.ts'

it.each<[ErrorCode | undefined, string]>([
  ['UNAVAILABLE', 'warn'],
  ['RECORD_LOST', 'warn'],
  ['CONFIG_INVALID', 'warn'],
  ['STORAGE_FULL', 'error'],
  ['INTERNAL', 'error'],
  [undefined, 'error'],
])('a fault of an import with the code %s is a line of level %s', (code, level) => {
  const levels: string[] = []
  const log = importFaultLog({ warn: () => levels.push('warn'), error: () => levels.push('error') })
  log(code === undefined ? new Error('A bug.') : new ScreeningError(code, 'Not now.'))
  expect(levels).toEqual([level])
})
