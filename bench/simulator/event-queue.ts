/** What happens next: a binary heap of (time, event) over typed arrays, grown by doubling. The same pushes give the same order. */
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
  let events = new Int32Array(4_096)
  let size = 0

  function grow(): void {
    const moreTimes = new Float64Array(times.length * 2)
    const moreEvents = new Int32Array(times.length * 2)
    moreTimes.set(times)
    moreEvents.set(events)
    times = moreTimes
    events = moreEvents
  }

  return {
    push(atMs, event) {
      if (size === times.length) grow()
      let at = size++
      while (at > 0) {
        const parent = (at - 1) >>> 1
        if (times[parent]! <= atMs) break
        times[at] = times[parent]!
        events[at] = events[parent]!
        at = parent
      }
      times[at] = atMs
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
      const event = events[size]!
      let at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= size) break
        if (child + 1 < size && times[child + 1]! < times[child]!) child++
        if (times[child]! >= time) break
        times[at] = times[child]!
        events[at] = events[child]!
        at = child
      }
      times[at] = time
      events[at] = event
      return first
    },
  }
}
