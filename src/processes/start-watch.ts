/** Says what a start waits for that takes long: on a busy machine nobody could tell it from one that hangs. */

/** A start with 10 M numbers takes 2 s on a machine that has time for it. */
const FIRST_MS = 5_000
const AGAIN_MS = 10_000

/** `waitsFor` returns the processes that are not ready with what each is at. Returns what ends the watch. */
export function watchStart(
  waitsFor: () => readonly string[],
  log: { info(fields: object, text: string): void },
): () => void {
  const startedMs = Date.now()
  const say = () => {
    const waitingFor = waitsFor()
    const seconds = Math.round((Date.now() - startedMs) / 1_000)
    log.info({ seconds, waitingFor }, 'still starting; "zaslon doctor" examines machine, data and ports')
    timer = setTimeout(say, AGAIN_MS)
  }
  let timer = setTimeout(say, FIRST_MS)
  return () => clearTimeout(timer)
}
