/** So many sends at a time and not one more: the back-pressure of a transfer. */
export type SendWindow = {
  /** Begins it as soon as there is room; rejects with the first failure so far. */
  send(work: () => Promise<unknown>): Promise<void>
  /** Resolves when nothing is under way. Never rejects. */
  settled(): Promise<void>
  /** Throws the first failure. */
  assertSent(): void
}

export function createSendWindow(sendsMax: number): SendWindow {
  const under = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  const assertSent = () => {
    if (failure !== undefined) throw failure.error
  }
  return {
    async send(work) {
      while (under.size >= sendsMax) await Promise.race(under)
      assertSent()
      const sending: Promise<void> = work()
        .then(
          () => undefined,
          (error: unknown) => {
            failure ??= { error }
          },
        )
        .finally(() => under.delete(sending))
      under.add(sending)
    },
    async settled() {
      while (under.size > 0) await Promise.race(under)
    },
    assertSent,
  }
}
