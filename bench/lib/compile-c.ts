import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'

/**
 * Compiles a C program of ours for this machine, once in a run; `source` is relative to the package. Returns the program.
 * Throws with the next step when there is no compiler.
 */
export function compileC(source: string): string {
  const program = path.join(os.tmpdir(), path.basename(source, '.c'))
  if (existsSync(program)) return program
  const args = ['-O2', '-march=native', '-Wall', '-Wextra', '-Werror', '-o', program]
  try {
    execFileSync('cc', [...args, path.join(PACKAGE_DIRECTORY, source)], { stdio: ['ignore', 'ignore', 'inherit'] })
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause
    throw new Error(`A C compiler is missing, for ${source}: apt-get install gcc libc6-dev`, { cause })
  }
  return program
}
