import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import { MissingToolError } from './missing-tool-error.ts'

export type Compiled = { readonly program: string } | { readonly missing: string }

/**
 * Compiles a C program of ours for this machine, once in a run; `source` is relative to the package. Says why not, and what to
 * do, where there is no compiler or it fails.
 */
export function compileC(source: string, compiler = 'cc'): Compiled {
  const program = path.join(os.tmpdir(), `${path.basename(source, '.c')}-${path.basename(compiler)}`)
  if (existsSync(program)) return { program }
  const args = ['-O2', '-march=native', '-Wall', '-Wextra', '-Werror', '-o', program]
  try {
    execFileSync(compiler, [...args, path.join(PACKAGE_DIRECTORY, source), '-lm'], { stdio: 'pipe', encoding: 'utf8' })
    return { program }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if ('code' in error && error.code === 'ENOENT') {
      return { missing: `There is no C compiler (${compiler}) for ${source}: apt-get install gcc libc6-dev` }
    }
    return { missing: `${compiler} failed on ${source}, so fix what it says: ${error.message.slice(0, 300)}` }
  }
}

/** The program, for what cannot be measured without it. Throws MissingToolError with what compileC says. */
export function compiledC(source: string): string {
  const compiled = compileC(source)
  if ('missing' in compiled) throw new MissingToolError(compiled.missing)
  return compiled.program
}
