import { existsSync, readFileSync } from 'node:fs'
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

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(PACKAGE_DIRECTORY, 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}
