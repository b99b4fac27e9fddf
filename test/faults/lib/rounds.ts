import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, round as threeDigits } from '../../../bench/lib/stats.ts'
import type { RunningService } from '../../support/run-service.ts'
import { ask } from './api.ts'
import { startChanges } from './changes.ts'
import { prepareNode } from './oracle.ts'
import { lostOf, verifyChanges } from './verify-changes.ts'
import type { World } from './world.ts'

/**
 * The same fault over and over at random moments, during reports, entries, imports, policies and reviews, all as fast as they
 * go. After each: is the service whole again, and is everything there that was acknowledged in this round?
 */
export type RoundsOptions = {
  readonly node: RunningService
  /** Does it, and resolves with the node when that is whole again. */
  readonly breakIt: (node: RunningService, round: number) => Promise<RunningService>
  /** What a round is called in the figures: kills, power cuts. */
  readonly name: string
}

const FASTEST = { report: 0, entry: 20, import: 50, policy: 300, review: 20 }
/** The fault comes so long after the first change, at random. */
const FIRST_MS = 30
const SPAN_MS = 600
const SAY_EVERY = 10
/** Numbers of one round: far more than are written in it. */
const ROUND_NUMBERS = 20_000

export async function runRounds(world: World, options: RoundsOptions): Promise<void> {
  let { node } = options
  await prepareNode(node)
  const { text } = await ask<{ text: string }>(node, 'GET', '/v1/policy')
  const total = { rounds: 0, acknowledged: 0, imports: 0, lost: 0, halfImports: 0 }
  const recoveries: number[] = []
  const tell = () =>
    `${total.rounds} ${options.name}: ${total.acknowledged} acknowledged, ${total.lost} lost, ${total.halfImports} half imports`
  for (let round = 0; round < world.count && !world.mustEnd(); round++) {
    const seed = (world.seed % 1_000) * 1_000 + round * ROUND_NUMBERS
    const changes = startChanges({ seed, pauseMs: FASTEST, onReported: () => {} }, node, text)
    await sleep(FIRST_MS + world.random() * SPAN_MS)
    const startMs = performance.now()
    node = await options.breakIt(node, round)
    recoveries.push(performance.now() - startMs)
    await changes.stop()
    const verified = await verifyChanges(node, changes.acknowledged)
    total.rounds++
    total.acknowledged += verified.checked
    total.imports += changes.acknowledged.imports
    total.lost += lostOf(verified)
    total.halfImports += verified.halfImports
    world.expect(
      `round ${round} (seed ${world.seed}) keeps all`,
      lostOf(verified) + verified.halfImports === 0,
      verified,
    )
    if (total.rounds % SAY_EVERY === 0) world.say(tell())
  }
  world.figure(options.name, total.rounds)
  world.figure('acknowledged', total.acknowledged)
  world.figure('imports', total.imports)
  world.figure('lost', total.lost)
  world.figure('half imports', total.halfImports)
  world.figure('whole again median ms', threeDigits(quantile(recoveries, 0.5)))
  world.figure('whole again max ms', threeDigits(Math.max(...recoveries)))
  world.expect('there was something to lose', total.acknowledged > total.rounds, total)
}
