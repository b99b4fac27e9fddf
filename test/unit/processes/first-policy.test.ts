import { expect, it } from 'vitest'
import { type ErrorCode, ScreeningError } from '../../../src/domain/errors.ts'
import { putFirstPolicy } from '../../../src/processes/first-policy.ts'
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts'
import { POLICY } from '../../support/sample-policy.ts'

it.each([
  ['refused', false],
  ['written, and nobody said so', true],
])('the first policy is in force after a moment without Redis: %s', async (_name, isLate) => {
  const store = createMemoryStore()
  const answers: (ErrorCode | undefined)[] = ['UNAVAILABLE', undefined]
  const putPolicy: typeof store.putPolicy = async (...call) => {
    const code = answers.shift()
    if (code === undefined || isLate) await store.putPolicy(...call)
    if (code !== undefined) throw new ScreeningError(code, 'Redis is away.')
    return store.putPolicy(...call)
  }
  const read = () => ({ text: 'sample', document: POLICY })
  await putFirstPolicy({ policy: () => store.policy(), putPolicy }, read, Date.now)
  expect(store.policy()?.version).toBe(1)
})
