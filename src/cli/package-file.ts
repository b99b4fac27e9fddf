import path from 'node:path'
import { PACKAGE_DIRECTORY } from '../config/package-directory.ts'

/** A file of this package, wherever the command is run. */
export function packageFile(name: string): string {
  return path.join(PACKAGE_DIRECTORY, name)
}
