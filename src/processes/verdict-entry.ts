import { runChild } from './child.ts'
import { inlineFurther } from './inline-further.ts'
import { startVerdictProcess } from './verdict.ts'

inlineFurther()
runChild(startVerdictProcess)
