import { closeSync, mkdirSync, openSync } from 'node:fs'
import { EvaluateUsageError } from './evaluate-usage-error.ts'

/** Throws EvaluateUsageError unless the file of an option can be written: before a run that takes minutes, not after it. Leaves what is in it. */
export function checkOutputFile(option: string, file: string | undefined): void {
  if (file === undefined) return
  try {
    closeSync(openSync(file, 'a'))
  } catch (cause) {
    throw new EvaluateUsageError(`${option} ${file} cannot be written: ${reasonOf(cause)}.`, { cause })
  }
}

/** Makes the directory of an option; throws EvaluateUsageError when that cannot be. */
export function makeOutputDirectory(option: string, directory: string | undefined): void {
  if (directory === undefined) return
  try {
    mkdirSync(directory, { recursive: true })
  } catch (cause) {
    throw new EvaluateUsageError(`${option} ${directory} cannot be made: ${reasonOf(cause)}.`, { cause })
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? String(Reflect.get(cause, 'code') ?? cause.message) : String(cause)
}
