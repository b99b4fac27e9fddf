/**
 * What happens next: a binary heap of (time, turn, event) over typed arrays, grown by doubling. Events of one time come in the
 * order they were pushed, so that more events beside them, of other attacks say, change nothing about their order.
 */
export type EventQueue = {
  push(atMs: number, event: number): void
  /** Infinity when nothing is left. */
  readonly nextMs: number
  readonly size: number
  /** Takes the earliest event off. The queue must not be empty. */
  pop(): number
}

export function createEventQueue(): EventQueue {
  let times = new Float64Array(4_096)
  let turns = new Float64Array(4_096)
  let events = new Int32Array(4_096)
  let size = 0
  let pushed = 0

  function grow(): void {
    const moreTimes = new Float64Array(times.length * 2)
    const moreTurns = new Float64Array(times.length * 2)
    const moreEvents = new Int32Array(times.length * 2)
    moreTimes.set(times)
    moreTurns.set(turns)
    moreEvents.set(events)
    times = moreTimes
    turns = moreTurns
    events = moreEvents
  }

  function isBefore(at: number, time: number, turn: number): boolean {
    return times[at]! < time || (times[at]! === time && turns[at]! < turn)
  }

  return {
    push(atMs, event) {
      if (size === times.length) grow()
      let at = size++
      while (at > 0) {
        const parent = (at - 1) >>> 1
        if (times[parent]! <= atMs) break
        times[at] = times[parent]!
        turns[at] = turns[parent]!
        events[at] = events[parent]!
        at = parent
      }
      times[at] = atMs
      // The newest of all: later than every other of its time.
      turns[at] = pushed++
      events[at] = event
    },
    get nextMs() {
      return size === 0 ? Number.POSITIVE_INFINITY : times[0]!
    },
    get size() {
      return size
    },
    pop() {
      const first = events[0]!
      size--
      const time = times[size]!
      const turn = turns[size]!
      const event = events[size]!
      let at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= size) break
        if (child + 1 < size && isBefore(child + 1, times[child]!, turns[child]!)) child++
        if (!isBefore(child, time, turn)) break
        times[at] = times[child]!
        turns[at] = turns[child]!
        events[at] = events[child]!
        at = child
      }
      times[at] = time
      turns[at] = turn
      events[at] = event
      return first
    },
  }
}
