import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8 put more functions into one when it compiles. A decision is some hundred small functions of many modules; by itself V8
 * stops at 920 bytes of bytecode for each compiled function, and what is left are calls, with their numbers in boxes. Takes
 * an eighth off a decision (docs/PERFORMANCE.md), and compiling takes some tens of milliseconds longer. For the whole process,
 * before its threads start.
 */
export function inlineFurther(): void {
  setFlagsFromString('--max-inlined-bytecode-size=1000')
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000')
}
