/** At most `atOnce` are in at the same moment; others wait in line. */
export type Turns = {
  /** Resolves with what ends the turn; call it once. */
  enter(): Promise<() => void>
}

export function createTurns(atOnce: number): Turns {
  const line: (() => void)[] = []
  let inside = 0
  const leave = () => {
    const next = line.shift()
    if (next === undefined) inside--
    else next()
  }
  return {
    async enter() {
      if (inside < atOnce) inside++
      else await new Promise<void>((resolve) => line.push(resolve))
      return leave
    },
  }
}
