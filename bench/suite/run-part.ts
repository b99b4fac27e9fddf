import { MissingToolError } from '../lib/missing-tool-error.ts'
import type { PartName } from './measures.ts'
import type { Part, PartOptions } from './part.ts'
import { printResult, QUICK_NOTE } from './print-result.ts'
import { keepResult } from './results.ts'

/** Measures one part, keeps its result and prints it. Returns the exit code: 1 when it cannot run here, with what is missing. */
export async function runPart(name: PartName, part: Part, options: PartOptions): Promise<number> {
  const startMs = performance.now()
  try {
    const result = await part.run(options)
    keepResult(name, options.quick, result, (performance.now() - startMs) / 1_000)
    printResult(name, result)
    if (options.quick) process.stdout.write(`${QUICK_NOTE}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof MissingToolError)) throw error
    options.say(error.message)
    printResult(name, { measured: {}, tables: [] })
    return 1
  }
}
