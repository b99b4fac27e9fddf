import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const root = path.join(import.meta.dirname, '../../..')
const evaluate = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('node', ['dist/bench/evaluate.js', ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe('npm run evaluate', () => {
  it('lists the evaluations', () => {
    const { status, stdout } = evaluate('--help')
    expect(status).toBe(0)
    expect(stdout).toMatch(/npm run evaluate -- simulator {2,}\S/)
    expect(evaluate()).toMatchObject({ status: 2, stdout })
  })

  it('names the nearest one for a name it does not have', () => {
    const { status, stderr } = evaluate('simulater')
    expect(status).toBe(2)
    expect(stderr).toMatch(/^There is no evaluation "simulater"\. Did you mean "simulator"\?/)
  })

  it('says in one line what is wrong with the options', () => {
    expect(evaluate('simulator', '--days', '99')).toEqual({
      status: 2,
      stdout: '',
      stderr: '--days must be a whole number from 1 to 31, got "99".\n',
    })
    expect(evaluate('simulator', '--dais', '2')).toMatchObject({ status: 2, stdout: '' })
  })
})
