import { addAbortSignal, Readable } from 'node:stream'
import { CliFailure, interruptedFailure, usageFailure } from './cli-failure.ts'
import type { CommandContext } from './command-context.ts'
import { EXIT } from './exit-codes.ts'

/** Whoever types more than that has not typed the word. */
const LINE_CHARS_MAX = 1_000

/**
 * Resolves when whoever sits at the terminal has typed `word`. Throws CliFailure: a usage failure without a terminal or
 * with --json, where --yes has to stand instead; `failed` for any other answer; `interrupted` on Ctrl-C.
 */
export async function confirm({ output, surroundings, signal }: CommandContext, word: string): Promise<void> {
  const { stdin, stderr } = surroundings
  if (stdin.isTTY !== true || output.isJson) {
    throw usageFailure('This needs a word of confirmation, and nobody can be asked here.', 'Add --yes to go on.')
  }
  stderr.write(`Type ${word} to go on: `)
  if ((await readLine(stdin, signal)) === word) return
  throw new CliFailure(EXIT.failed, 'Not confirmed: nothing was changed.', { code: 'NOT_CONFIRMED' })
}

async function readLine(stdin: CommandContext['surroundings']['stdin'], signal: AbortSignal): Promise<string> {
  // A terminal that is waited for keeps the process alive: Ctrl-C must end that wait.
  if (stdin instanceof Readable) addAbortSignal(signal, stdin)
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of stdin) {
      text += decoder.decode(chunk, { stream: true })
      if (text.includes('\n') || text.length > LINE_CHARS_MAX) break
    }
  } catch (error) {
    throw signal.aborted ? interruptedFailure() : error
  }
  return text.split('\n', 1)[0]?.trim() ?? ''
}
