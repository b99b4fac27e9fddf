// npm run build: installs when nothing is installed, compiles when dist/ is not current.
import { prepare } from './prepare.mjs'

await prepare()
