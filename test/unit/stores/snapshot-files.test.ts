import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSnapshotFiles, SNAPSHOT_HEAD_BYTES, type SnapshotPart } from '../../../src/stores/snapshot-files.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'

const AGE_MS_MAX = 7 * 24 * 3_600_000

/** A part that holds a text. */
function textPart(name: string, text: string | undefined) {
  const state = { text, mark: 1, reads: 0, isGone: false }
  const part: SnapshotPart = {
    name,
    mark: () => String(state.mark),
    *steps() {
      state.reads++
      if (state.text === undefined) return undefined
      const chunk = Buffer.alloc(1)
      for (const byte of Buffer.from(state.text)) {
        chunk[0] = byte
        yield chunk
        yield undefined
      }
      return state.isGone ? undefined : Buffer.from('head'.padEnd(SNAPSHOT_HEAD_BYTES))
    },
    fromBytes(bytes) {
      const read = Buffer.from(bytes).subarray(SNAPSHOT_HEAD_BYTES).toString()
      if (read.startsWith('damaged')) throw new Error('It is damaged.')
      if (read.startsWith('over')) return false
      state.text = read
      return true
    },
  }
  return { part, state }
}

function files(directory: string, parts: readonly SnapshotPart[], owner = 'verdict-1') {
  const faults: { part: string; isWrite: boolean }[] = []
  const all = createSnapshotFiles(
    { directory, owner, ageMsMax: AGE_MS_MAX },
    {
      parts,
      now: Date.now,
      beginRests: () => () => undefined,
      onFault: ({ part, isWrite }) => faults.push({ part, isWrite }),
    },
  )
  return { all, faults }
}

function contents(directory: string, name: string): string {
  return readFileSync(path.join(directory, `verdict-1-${name}.snapshot`), 'utf8').slice(SNAPSHOT_HEAD_BYTES)
}

describe('snapshot files', () => {
  it('give every part back after a restart, and to nobody else', async () => {
    const directory = temporaryDirectory()
    const [one, two, none] = [textPart('one', 'first'), textPart('two', 'second'), textPart('none', undefined)]
    const written = files(directory, [one.part, two.part, none.part])
    await written.all.write()
    expect(readdirSync(directory).sort()).toEqual(['verdict-1-one.snapshot', 'verdict-1-two.snapshot'])
    expect(statSync(path.join(directory, 'verdict-1-one.snapshot')).mode & 0o777).toBe(0o600)

    const [back, empty] = [textPart('one', undefined), textPart('none', undefined)]
    expect(await files(directory, [back.part, empty.part]).all.restore()).toEqual(['one'])
    expect(back.state.text).toBe('first')
    expect(await files(directory, [textPart('one', undefined).part], 'verdict-2').all.restore()).toEqual([])
    expect(written.faults).toEqual([])
  })

  it('are written again only when the part has changed', async () => {
    const directory = temporaryDirectory()
    const { part, state } = textPart('one', 'first')
    const { all } = files(directory, [part])
    await all.write()
    await all.write()
    expect(state.reads).toBe(1)
    Object.assign(state, { text: 'second', mark: 2 })
    await Promise.all([all.write(), all.write()])
    expect(state.reads).toBe(2)
    expect(contents(directory, 'one')).toBe('second')
  })

  it('are not written again after a restart as long as nothing changes', async () => {
    const directory = temporaryDirectory()
    await files(directory, [textPart('one', 'first').part]).all.write()
    const { part, state } = textPart('one', undefined)
    const { all } = files(directory, [part])
    expect(await all.restore()).toEqual(['one'])
    await all.write()
    expect(state.reads).toBe(0)
    Object.assign(state, { text: 'second', mark: 2 })
    await all.write()
    expect(contents(directory, 'one')).toBe('second')
  })

  it('are told and left out when they are damaged, old or over', async () => {
    const directory = temporaryDirectory()
    const file = (name: string) => path.join(directory, `verdict-1-${name}.snapshot`)
    for (const name of ['damaged', 'over', 'old', 'young'])
      writeFileSync(file(name), `${'head'.padEnd(SNAPSHOT_HEAD_BYTES)}${name}`)
    const at = (ageMs: number) => (Date.now() - ageMs) / 1_000
    utimesSync(file('old'), at(AGE_MS_MAX + 60_000), at(AGE_MS_MAX + 60_000))
    utimesSync(file('young'), at(AGE_MS_MAX - 60_000), at(AGE_MS_MAX - 60_000))
    const parts = ['damaged', 'over', 'old', 'young', 'missing'].map((name) => textPart(name, undefined))
    const { all, faults } = files(
      directory,
      parts.map(({ part }) => part),
    )
    expect(await all.restore()).toEqual(['young'])
    expect(faults).toEqual([{ part: 'damaged', isWrite: false }])
    expect(parts.map(({ state }) => state.text)).toEqual([undefined, undefined, undefined, 'young', undefined])
  })

  it('are kept as they were when one cannot be written, and the others are written', async () => {
    const directory = temporaryDirectory()
    const [one, two] = [textPart('one', 'first'), textPart('two', 'second')]
    // A directory where the file belongs: nothing can be renamed over it.
    mkdirSync(path.join(directory, 'verdict-1-one.snapshot'))
    const { all, faults } = files(directory, [one.part, two.part])
    await all.write()
    expect(faults).toEqual([{ part: 'one', isWrite: true }])
    expect(contents(directory, 'two')).toBe('second')
    expect(readdirSync(directory).sort()).toEqual(['verdict-1-one.snapshot', 'verdict-1-two.snapshot'])
    // It is tried again although nothing has changed since.
    await all.write()
    expect(one.state.reads).toBe(2)
    expect(two.state.reads).toBe(1)
  })

  it('stay as they were when a part turns out to have nothing to keep, and leave no draft', async () => {
    const directory = temporaryDirectory()
    const { part, state } = textPart('one', 'first')
    const { all, faults } = files(directory, [part])
    await all.write()
    Object.assign(state, { text: 'second', mark: 2, isGone: true })
    await all.write()
    expect(contents(directory, 'one')).toBe('first')
    expect(readdirSync(directory)).toEqual(['verdict-1-one.snapshot'])
    // What was not written is tried again.
    state.isGone = false
    await all.write()
    expect(contents(directory, 'one')).toBe('second')
    expect(faults).toEqual([])
  })

  it('rest after every step', async () => {
    const { part } = textPart('one', 'four')
    let rests = 0
    let works = 0
    const beginRests = () => {
      works++
      return () => {
        rests++
        return undefined
      }
    }
    const options = { directory: temporaryDirectory(), owner: 'verdict-1', ageMsMax: AGE_MS_MAX }
    const onFault = ({ error }: { error: unknown }) => expect(error).toBeUndefined()
    await createSnapshotFiles(options, { parts: [part], now: Date.now, beginRests, onFault }).write()
    expect([works, rests]).toEqual([1, 8])
  })

  it('leave no draft on a disk that is full, nor of a part that fails', async () => {
    const directory = temporaryDirectory()
    const [one, two] = [textPart('one', 'first'), textPart('two', 'second')]
    const { all, faults } = files(directory, [one.part, two.part])
    await all.write()
    for (const { state } of [one, two]) Object.assign(state, { text: 'newer', mark: 2 })
    // Whoever writes to this device is told that there is no space left.
    symlinkSync('/dev/full', path.join(directory, `verdict-1-one.snapshot.${process.pid}.draft`))
    const failing: SnapshotPart = {
      ...two.part,
      name: 'three',
      *steps() {
        yield Buffer.from('some of it')
        throw new Error('It fails.')
      },
    }
    const more = files(directory, [one.part, failing])
    await more.all.write()
    expect(more.faults).toEqual([
      { part: 'one', isWrite: true },
      { part: 'three', isWrite: true },
    ])
    expect(readdirSync(directory).sort()).toEqual(['verdict-1-one.snapshot', 'verdict-1-two.snapshot'])
    expect(contents(directory, 'one')).toBe('first')
    // With space again, what it could not write is written.
    await more.all.write()
    expect(contents(directory, 'one')).toBe('newer')
    expect(faults).toEqual([])
  })

  it('leave no draft of a process that was killed while it wrote, nor of one that is not started any more', async () => {
    const directory = temporaryDirectory()
    const gone = spawnSync('true').pid
    const living = `verdict-2-one.snapshot.${process.ppid}.draft`
    const names = [`verdict-1-one.snapshot.${process.ppid}.draft`, `verdict-2-one.snapshot.${gone}.draft`, living]
    for (const name of names) writeFileSync(path.join(directory, name), 'half')
    await files(directory, []).all.restore()
    expect(readdirSync(directory)).toEqual([living])
  })

  it('are given up at the next step when abandoned, and written from the beginning then', async () => {
    const directory = temporaryDirectory()
    const [one, two, three] = ['one', 'two', 'three'].map((name) => textPart(name, `first ${name}`))
    if (!one || !two || !three) throw new Error('There are three parts.')
    let rests = 0
    let goOn = () => {}
    let reached = () => {}
    const isReached = new Promise<void>((resolve) => (reached = resolve))
    // In the middle of the second part.
    const rest = () => {
      if (++rests !== 2 * 'first one'.length + 3) return undefined
      reached()
      return new Promise<void>((resolve) => (goOn = resolve))
    }
    const all = createSnapshotFiles(
      { directory, owner: 'verdict-1', ageMsMax: AGE_MS_MAX },
      {
        parts: [one.part, two.part, three.part],
        now: Date.now,
        beginRests: () => rest,
        onFault: ({ error }) => expect(error).toBeUndefined(),
      },
    )
    const writing = all.write()
    await isReached
    two.state.text = 'newer two'
    const abandoned = all.abandon()
    goOn()
    await Promise.all([writing, abandoned])
    expect(readdirSync(directory)).toEqual(['verdict-1-one.snapshot'])
    await all.write()
    expect(contents(directory, 'two')).toBe('newer two')
    expect(contents(directory, 'three')).toBe('first three')
    expect([one, two, three].map(({ state }) => state.reads)).toEqual([1, 2, 1])
    // Nothing is under way.
    await all.abandon()
    await all.write()
    expect(two.state.reads).toBe(2)
  })

  it('say so when there is nowhere to write', async () => {
    const directory = path.join(temporaryDirectory(), 'gone')
    mkdirSync(directory)
    const { all, faults } = files(directory, [textPart('one', 'first').part])
    rmSync(directory, { recursive: true })
    await all.write()
    expect(faults).toEqual([
      { part: 'one', isWrite: true },
      { part: 'directory', isWrite: true },
    ])
  })
})
