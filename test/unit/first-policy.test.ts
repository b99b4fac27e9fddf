import { expect, it } from 'vitest'
import { type ErrorCode, ScreeningError } from '../../src/domain/errors.ts'
import type { PolicyDocument, PolicyVersion } from '../../src/domain/policy.ts'
import { putFirstPolicy } from '../../src/processes/first-policy.ts'

/** A store whose first writes end like this; `arrives`: what was refused is there a moment later. */
function storeThat(codes: ErrorCode[], arrives = false) {
  let policy: PolicyVersion | undefined
  let writes = 0
  return {
    writes: () => writes,
    policy: () => policy,
    async putPolicy({ text, document }: { text: string; document: PolicyDocument }) {
      writes++
      const code = codes.shift()
      const version = { version: 1, text, document, activatedMs: 0, actor: 'system' } satisfies PolicyVersion
      if (code === undefined || arrives) policy = version
      if (code !== undefined) throw new ScreeningError(code, 'Not now.')
      return { policy: version, sequence: 1 }
    },
  }
}
const put = (store: ReturnType<typeof storeThat>) => putFirstPolicy(store, 1)

it('tries again when Redis did not answer in time', async () => {
  const store = storeThat(['UNAVAILABLE', 'UNAVAILABLE'])
  await put(store)
  expect([store.writes(), store.policy()?.version]).toEqual([3, 1])
})

it('is content with a write that arrived without an answer, and with the policy of another node', async () => {
  for (const store of [storeThat(['UNAVAILABLE'], true), storeThat(['POLICY_CHANGED'])]) {
    await put(store)
    expect(store.writes()).toBe(1)
  }
})

it('does not try again what will not change', async () => {
  await expect(put(storeThat(['STORAGE_FULL']))).rejects.toMatchObject({ code: 'STORAGE_FULL' })
})
