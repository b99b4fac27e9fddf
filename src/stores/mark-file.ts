import { readFileSync, renameSync, writeFileSync } from 'node:fs'

/** Readers see the whole mark or the one before. Without sync: what is kept so must be true as well when it is older, or lost. */
export function writeMark(file: string, mark: object): void {
  const draft = `${file}.draft`
  writeFileSync(draft, JSON.stringify(mark), { mode: 0o600 })
  renameSync(draft, file)
}

/** Empty when there is none that can be read. Its fields are to be checked. */
export function readMark(file: string): Readonly<Record<string, unknown>> {
  try {
    const mark: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof mark === 'object' && mark !== null ? (mark as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
