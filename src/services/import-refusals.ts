/** Why an import is not begun, activated or cancelled, as the person who asked is told. */
import { ScreeningError } from '../domain/errors.ts'
import type { ImportRecord } from '../domain/import.ts'
import { diallingRules } from '../domain/parse-phone-number.ts'

/** Throws QUERY_INVALID. */
export function assertCountry(country: string): void {
  try {
    diallingRules(country)
  } catch (cause) {
    throw new ScreeningError(
      'QUERY_INVALID',
      'The country of an import must be two capital letters such as RU.',
      {},
      { cause },
    )
  }
}

/** LIST_CHANGED: activated, but what it does now is not what was looked at. */
export function comparedAgain({ problem }: ImportRecord): ScreeningError {
  return new ScreeningError('LIST_CHANGED', `The list has changed since the preview. ${problem?.detail ?? ''}`.trim(), {
    hint: 'It was compared again: look at its counts as they are now, then activate it again or cancel it.',
  })
}

/** SECOND_PERSON_NEEDED: whoever uploaded it asks to activate it. */
export function secondPersonNeeded({ problem }: ImportRecord): ScreeningError {
  const message = `Who uploaded this import may not activate it. ${problem?.detail ?? ''}`.trim()
  return new ScreeningError('SECOND_PERSON_NEEDED', message)
}

/** IMPORT_STATE: what was asked for does not follow this state. */
export function wrongState({ state }: ImportRecord): ScreeningError {
  return new ScreeningError('IMPORT_STATE', `The import is ${state}.`, { state })
}
