import { ScreeningError } from '../../src/domain/errors.ts'
import { type DiallingRules, diallingRules } from '../../src/domain/parse-phone-number.ts'
import { EvaluateUsageError } from './evaluate-usage-error.ts'

/** The number an option gives; throws EvaluateUsageError for anything else, and outside the bounds. */
export function numberOption(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= least && value <= most) return value
  throw new EvaluateUsageError(`${name} must be a number from ${least} to ${most}, got ${JSON.stringify(text)}.`)
}

/** The same, and whole. */
export function wholeOption(name: string, text: string, least: number, most: number): number {
  const value = numberOption(name, text, least, most)
  if (Number.isInteger(value)) return value
  throw new EvaluateUsageError(`${name} must be a whole number, got ${JSON.stringify(text)}.`)
}

/** The dialling rules of --country; throws EvaluateUsageError when there is no such country. */
export function countryOption(country: string): DiallingRules {
  try {
    return diallingRules(country)
  } catch (cause) {
    if (!(cause instanceof ScreeningError)) throw cause
    throw new EvaluateUsageError(
      `--country must be the two capital letters of a country such as US, got ${JSON.stringify(country)}.`,
      { cause },
    )
  }
}
