import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { policyYaml } from '../../../src/processes/policy-yaml.ts'

describe('YAML of policies', () => {
  it('says where the first mistake is', () => {
    expect(() => policyYaml.parse('a: 1\nb: [')).toThrow(expect.objectContaining({ pos: expect.any(Array) }))
  })

  it('prints nothing of the text', () => {
    const module = path.resolve(import.meta.dirname, '../../../dist/src/processes/policy-yaml.js')
    const script = `import { policyYaml } from ${JSON.stringify(module)}; policyYaml.parse('name: !secret "+79161234567"')`
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 })
  })
})
