import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

type Package = {
  readonly version: string
  readonly integrity?: string
  readonly link?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly optionalDependencies?: Record<string, string>
}

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, Package>
}

/** Where Node would find a dependency of the package at `place`. */
function resolve(place: string, name: string): Package | undefined {
  for (let base = place; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))) {
    const found = packages[`${base === '' ? '' : `${base}/`}node_modules/${name}`]
    if (found || base === '') return found
  }
}

describe('package-lock.json', () => {
  it('names every optional dependency, those for other platforms too: npm ci refuses a lock that does not', () => {
    const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !resolve(place, name)),
    )
    expect(missing).toEqual([])
  })

  it('pins by hash everything that is installed on Linux x64', () => {
    const unpinned = Object.entries(packages).filter(
      ([place, { integrity, os, cpu }]) =>
        place !== '' && !integrity && (os?.includes('linux') ?? true) && (cpu?.includes('x64') ?? true),
    )
    expect(unpinned.map(([place]) => place)).toEqual([])
  })
})
