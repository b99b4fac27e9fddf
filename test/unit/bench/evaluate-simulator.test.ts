import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { run } from '../../../bench/evaluate/simulator.ts'
import { EvaluateUsageError } from '../../../bench/lib/evaluate-usage-error.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'zaslon-evaluate-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('npm run evaluate -- simulator', () => {
  let printed = ''
  beforeEach(() => {
    printed = ''
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += text
      return true
    })
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  })
  afterEach(() => vi.restoreAllMocks())

  it('prints tables and writes JSON and the curve', async () => {
    const json = path.join(directory, 'result.json')
    const args = ['--calls', '10000', '--days', '1', '--warm-up-days', '0', '--seeds', '3,4', '--json', json]
    expect(await run([...args, '--svg', directory, '--attacks', 'train'])).toBe(0)
    expect(printed).toContain('Seeds 3, 4; policy default, blocks at 80')
    expect(printed).toMatch(/^all malicious calls +\d+ /m)
    expect(printed).toMatch(/^new-sim +\d+ /m)
    const result = JSON.parse(readFileSync(json, 'utf8'))
    expect(result.settings.seeds).toEqual([3, 4])
    expect(result.findings.curve).toHaveLength(100)
    expect(result.findings.benign.calls).toBeGreaterThan(15_000)
    expect(result.commit).toEqual(expect.any(String))
    expect(result.timing.meanMicroseconds).toBeGreaterThan(0)
    expect(readFileSync(path.join(directory, 'simulator.svg'), 'utf8')).toContain('<svg')
  })

  it('prints its options, and the schema of attack files', async () => {
    await run(['--help'])
    expect(printed).toContain('--warm-up-days N')
    printed = ''
    await run(['--print-schema'])
    expect(JSON.parse(printed).properties.calling.properties.pools.type).toBe('array')
  })

  it.each([
    [['--calls', '9999'], '--calls must be a whole number from 10000 to 50000000, got "9999"'],
    [['--calls', '50000001'], '--calls must be'],
    [['--calls', '1e6'], '--calls must be'],
    [['--days', '0'], '--days must be a whole number from 1 to 31'],
    [['--days', '32'], '--days must be'],
    [['--seed', '-1'], '--seed'],
    [['--seed', '2147483648'], '--seed must be a whole number from 0 to 2147483647'],
    [['--seed', '1', '--seeds', '2'], 'Give --seed or --seeds.'],
    [['--fraud-share', '0.51'], '--fraud-share must be a number from 0 to 0.5'],
    [['--attacks', '/nowhere'], '/nowhere cannot be read'],
    [['--policy', '/nowhere'], 'The policy /nowhere cannot be used.'],
    [['--json', '/nowhere/a.json'], '--json /nowhere/a.json cannot be written: ENOENT'],
    [['--svg', '/dev/null/a'], '--svg /dev/null/a cannot be made: ENOTDIR'],
    [['--cals', '1'], "Unknown option '--cals'"],
  ])('%j: %s', async (args, message) => {
    await expect(run(args)).rejects.toThrow(message)
  })

  it('tells a wrong option from a fault', async () => {
    await expect(run(['--days', 'x'])).rejects.toBeInstanceOf(EvaluateUsageError)
  })
})
