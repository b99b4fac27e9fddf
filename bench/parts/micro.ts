import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { inlineFurther } from '../../src/processes/inline-further.ts'
import { ROUNDS } from '../lib/interleave.ts'
import { measureActivity } from '../micro/activity.ts'
import { measureGate } from '../micro/gate.ts'
import { measureHandOff } from '../micro/hand-off.ts'
import { measureTexts } from '../micro/phone-text.ts'
import { measurePolicy } from '../micro/policy.ts'
import { fillStore } from '../micro/screening-load.ts'
import { measureLookups } from '../micro/store-lookup.ts'
import type { Part, PartResult } from '../suite/part.ts'

const FULL = {
  gate: {
    sizes: [1_000, 10_000, 100_000, 1_000_000, 10_000_000],
    probeCount: 500_000,
    slowKeyCount: 1_000_000,
    slowProbeCount: 10_000,
  },
  callers: 1_000_000,
  calls: 100_000,
  scale: { listed: 10_000_000, reported: 10_000, active: 100_000 },
  lookups: 20_000,
  evaluations: 1_000_000,
  decisions: 20_000,
  ringRecords: 2_000_000,
  tasks: 20_000,
}
const QUICK = {
  gate: { sizes: [1_000, 100_000, 1_000_000], probeCount: 200_000, slowKeyCount: 100_000, slowProbeCount: 2_000 },
  callers: 100_000,
  calls: 50_000,
  scale: { listed: 100_000, reported: 1_000, active: 10_000 },
  lookups: 5_000,
  evaluations: 100_000,
  decisions: 5_000,
  ringRecords: 200_000,
  tasks: 5_000,
}

export const part: Part = {
  about: 'pieces: gate, activity, look-ups, policy, number parsing, hand-off, each against what one would take instead',
  minutes: 4,
  async run({ quick, say }) {
    inlineFurther() // as a verdict process does
    const sizes = quick ? QUICK : FULL
    const rounds = quick ? 3 : ROUNDS
    const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
    const store = path.join(directory, 'store')
    try {
      const gate = await measureGate({ ...sizes.gate, rounds }, say)
      say('activity')
      const activity = await measureActivity({ ...sizes, rounds })
      say('a store is filled')
      await fillStore(store, sizes.scale)
      say('look-ups')
      const lookups = await measureLookups(store, { ...sizes, rounds })
      say('policy and decisions')
      const policy = await measurePolicy(store, { ...sizes, rounds })
      say('number parsing')
      const texts = await measureTexts({ rounds })
      say('hand-off')
      const handOff = await measureHandOff({ ...sizes, rounds })
      return joined({ gate, activity, lookups, policy, texts, handOff })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

function joined(pieces: Readonly<Record<string, PartResult>>): PartResult {
  const results = Object.values(pieces)
  return {
    measured: Object.assign({}, ...results.map(({ measured }) => measured)),
    tables: results.flatMap(({ tables }) => tables),
    charts: results.flatMap(({ charts }) => charts ?? []),
    raw: Object.fromEntries(Object.entries(pieces).map(([name, { raw }]) => [name, raw])),
  }
}
