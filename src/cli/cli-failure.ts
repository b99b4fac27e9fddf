import { EXIT, type ExitCode } from './exit-codes.ts'

/** RFC 9457 problem document as the service sends it, and as `--json` prints errors. */
export type Problem = {
  readonly type?: string
  readonly title?: string
  readonly status?: number
  readonly detail?: string
  readonly code?: string
  readonly hint?: string
  readonly errors?: readonly { readonly pointer?: string; readonly detail?: string }[]
}

/** A command that cannot go on: a sentence for people, a problem for programs, a code for the shell. */
export class CliFailure extends Error {
  readonly exitCode: ExitCode
  readonly problem: Problem

  constructor(exitCode: ExitCode, message: string, problem: Problem = {}, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CliFailure'
    this.exitCode = exitCode
    this.problem = { detail: message, ...problem }
  }
}

export function usageFailure(message: string, hint?: string): CliFailure {
  return new CliFailure(EXIT.usage, message, { code: 'USAGE', ...(hint ? { hint } : {}) })
}

export function interruptedFailure(hint?: string): CliFailure {
  return new CliFailure(EXIT.interrupted, 'Stopped.', { code: 'INTERRUPTED', ...(hint ? { hint } : {}) })
}

/** Undefined where the service says no: what was asked only makes an answer better. */
export async function orRefused(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof CliFailure && (error.exitCode === EXIT.refused || error.exitCode === EXIT.failed)) return
    throw error
  }
}
