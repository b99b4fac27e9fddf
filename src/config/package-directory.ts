import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where package.json lies: dist/src/config and src/config are both below it. */
export const PACKAGE_DIRECTORY = findPackageDirectory(path.dirname(fileURLToPath(import.meta.url)))

function findPackageDirectory(from: string): string {
  let directory = from
  while (!existsSync(path.join(directory, 'package.json'))) {
    const parent = path.dirname(directory)
    if (parent === directory) return from
    directory = parent
  }
  return directory
}
