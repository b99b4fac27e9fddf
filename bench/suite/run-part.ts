import type { PartName } from './measures.ts'
import type { Part, PartOptions } from './part.ts'
import { printResult } from './print-result.ts'
import { keepResult } from './results.ts'

/** Measures one part, keeps its result and prints it. Returns the exit code. */
export async function runPart(name: PartName, part: Part, options: PartOptions): Promise<number> {
  const startMs = performance.now()
  const result = await part.run(options)
  keepResult(name, options.quick, result, (performance.now() - startMs) / 1_000)
  printResult(result)
  return 0
}
