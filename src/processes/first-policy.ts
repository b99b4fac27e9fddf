import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PACKAGE_DIRECTORY } from '../config/package-directory.ts'
import { ScreeningError } from '../domain/errors.ts'
import { parsePolicy } from '../domain/parse-policy.ts'
import type { RecordStore } from '../stores/ports.ts'
import { policyYaml } from './policy-yaml.ts'

/** Redis has just been read, so a write that it does not answer is a moment of a busy machine: half a minute of tries. */
const TRIES = 30
const PAUSE_MS = 1_000

/** Every record has a policy from its first moment on: the one shipped in data/policy.yaml. */
export async function putFirstPolicy(
  store: Pick<RecordStore, 'policy' | 'putPolicy'>,
  pauseMs = PAUSE_MS,
): Promise<void> {
  const text = readFileSync(path.join(PACKAGE_DIRECTORY, 'data', 'policy.yaml'), 'utf8')
  const document = parsePolicy(policyYaml.parse(text))
  // What was not answered in time may have been written all the same.
  for (let tries = 1; store.policy() === undefined; tries++) {
    try {
      await store.putPolicy({ text, document }, { expectedVersion: 0 }, 'system')
      return
    } catch (error) {
      const code = error instanceof ScreeningError ? error.code : undefined
      // Another node of the same record was first.
      if (code === 'POLICY_CHANGED') return
      if (code !== 'UNAVAILABLE' || tries === TRIES) throw error
      await sleep(pauseMs)
    }
  }
}
