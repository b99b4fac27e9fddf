import { spawn, spawnSync } from 'node:child_process'
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

describe.each(['evaluate', 'fit', 'main'])('what bench/%s.ts prints', (name) => {
  it('may find a reader that has seen enough', async () => {
    const child = spawn('node', [`dist/bench/${name}.js`, '--help'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    // Long before it prints.
    child.stdout.destroy()
    let said = ''
    child.stderr.on('data', (text) => (said += String(text)))
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
    expect(said).toBe('')
  })
})

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

  it.each([
    ['--states', '0'],
    ['--states', '100000001'],
    ['--states', '1.5'],
    ['--seed', 'x'],
    ['--seed', '4294967296'],
  ])('never-block refuses %s %s', (option, value) => {
    const { status, stderr } = evaluate('never-block', option, value)
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining(`${option} must be`) })
  })

  it('never-block says how many were asked and blocked, the same for the same seed', () => {
    const first = evaluate('never-block', '--states', '300', '--seed', '7')
    expect(first.status).toBe(0)
    expect(first.stdout).toMatch(/to emergency numbers +300 +0\n/)
    expect(first.stdout).toMatch(/to operator services +300 +0\n/)
    expect(evaluate('never-block', '--states', '300', '--seed', '7')).toEqual(first)
  })
})
