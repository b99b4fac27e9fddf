import { runChild } from './child.ts'
import { startVerdictProcess } from './verdict.ts'

runChild(startVerdictProcess)
