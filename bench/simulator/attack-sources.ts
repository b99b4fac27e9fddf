/** Every number an attack has called from, with what became of it: time to detect is measured here. */
export type AttackSources = {
  /** Notes a new one of the attack file with this index; returns its id. */
  add(attack: number): number
  readonly count: number
  attackOf(id: number): number
  /** Blocked calls so far. */
  blockedOf(id: number): number
  noteCall(id: number, atMs: number, isBlocked: boolean): void
  /** Sources that began at `fromMs` or later. `callsBefore` and `minutesBefore` are Infinity when none was blocked. */
  visit(fromMs: number, visitor: (found: DetectedSource) => void): void
}

export type DetectedSource = {
  readonly attack: number
  readonly calls: number
  /** Calls let through before the first one blocked. */
  readonly callsBefore: number
  readonly minutesBefore: number
}

export function createAttackSources(): AttackSources {
  const attacks: number[] = []
  const calls: number[] = []
  const blocked: number[] = []
  const firstMs: number[] = []
  const callsBefore: number[] = []
  const blockedMs: number[] = []
  return {
    add(attack) {
      calls.push(0)
      blocked.push(0)
      firstMs.push(0)
      callsBefore.push(Number.POSITIVE_INFINITY)
      blockedMs.push(Number.POSITIVE_INFINITY)
      return attacks.push(attack) - 1
    },
    get count() {
      return attacks.length
    },
    attackOf: (id) => attacks[id]!,
    blockedOf: (id) => blocked[id]!,
    noteCall(id, atMs, isBlocked) {
      if (calls[id] === 0) firstMs[id] = atMs
      if (isBlocked && blocked[id]!++ === 0) {
        callsBefore[id] = calls[id]!
        blockedMs[id] = atMs
      }
      calls[id]!++
    },
    visit(fromMs, visitor) {
      for (let id = 0; id < attacks.length; id++) {
        if (calls[id] === 0 || firstMs[id]! < fromMs) continue
        const minutesBefore = (blockedMs[id]! - firstMs[id]!) / 60_000
        visitor({ attack: attacks[id]!, calls: calls[id]!, callsBefore: callsBefore[id]!, minutesBefore })
      }
    },
  }
}
