import { runChild } from './child.ts'
import { startControlProcess } from './control.ts'

runChild(startControlProcess)
