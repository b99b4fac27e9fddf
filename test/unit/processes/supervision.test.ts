import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadConfig } from '../../../src/config/load-config.ts'
import { ScreeningError } from '../../../src/domain/errors.ts'
import type { ToChild, ToSupervisor } from '../../../src/processes/messages.ts'
import type { Forked, Role } from '../../../src/processes/supervised-child.ts'
import { createSupervision, type SupervisionDependencies } from '../../../src/processes/supervision.ts'

/** A process that does what the test says. */
class FakeProcess extends EventEmitter implements Forked {
  readonly role: Role
  readonly pid: number | undefined
  connected = true
  hasEnded = false
  readonly told: ToChild[] = []
  readonly signals: NodeJS.Signals[] = []

  constructor(role: Role, pid: number | undefined) {
    super()
    this.role = role
    this.pid = pid
  }

  send(message: ToChild): void {
    this.told.push(message)
    if (message.type === 'stop') this.end(0, null)
  }

  kill(signal: NodeJS.Signals): void {
    this.signals.push(signal)
    this.end(null, signal)
  }

  say(message: ToSupervisor): void {
    this.emit('message', message)
  }

  end(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.connected = false
    this.emit('exit', code, signal)
  }
}

function supervise(overrides: Partial<SupervisionDependencies> = {}, environment: Record<string, string> = {}) {
  const forks: FakeProcess[] = []
  /** What becomes of the next forks, when it is not a process. */
  const refusals: ('throws' | 'errs')[] = []
  const lines: { text: string; fields: Record<string, unknown> }[] = []
  const write = (fields: object, text: string) => void lines.push({ text, fields: { ...fields } })
  const config = loadConfig({
    ZASLON_VERDICT_PROCESSES: '1',
    ZASLON_THREADS: '1',
    ZASLON_DATA_DIR: '/nowhere',
    ...environment,
  })
  const supervision = createSupervision(
    { config, loadSamples: false },
    {
      fork(role) {
        const refusal = refusals.shift()
        if (refusal === 'throws') throw new Error('spawn EMFILE')
        const forked = new FakeProcess(role, refusal ? undefined : 1_000 + forks.length)
        forks.push(forked)
        if (refusal) {
          // As Node does it: no process, no exit, one error in the next turn.
          forked.hasEnded = true
          setTimeout(() => forked.emit('error', new Error('spawn EAGAIN')))
        }
        return forked
      },
      awaitVerdictPort: () => Promise.resolve(),
      isStopped: () => false,
      log: { info: write, error: write },
      ...overrides,
    },
  )
  const ended = supervision.run()
  const living = (role: Role) => forks.filter((forked) => forked.role === role && !forked.hasEnded)
  const newest = (role: Role) => forks.filter((forked) => forked.role === role).at(-1) as FakeProcess
  /** The control process opens its store, and both serve. */
  const serve = async () => {
    newest('control').say({ type: 'store-ready' })
    await turn()
    newest('verdict').say({ type: 'ready', address: 'http://v', detail: 'uws' })
    newest('control').say({ type: 'ready', address: 'http://c', detail: '' })
  }
  return { supervision, ended, forks, refusals, lines, living, newest, serve }
}

/** What follows from a promise that is settled already. */
const turn = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('supervision', () => {
  it('starts the verdict processes when the store is open', async () => {
    const { forks, newest } = supervise()
    expect(forks.map((forked) => forked.role)).toEqual(['control'])
    newest('control').say({ type: 'store-ready' })
    await turn()
    expect(forks.map((forked) => forked.role)).toEqual(['control', 'verdict'])
    expect(newest('verdict').told[0]).toMatchObject({ type: 'start', label: 'verdict-1' })
  })

  it('says who is ready, in lines without the names that every line of the log has already', async () => {
    const { lines, newest, serve } = supervise()
    await serve()
    newest('verdict').end(null, 'SIGKILL')
    await turn()
    expect(lines).toContainEqual({ text: 'ready', fields: { child: 'verdict-1', childPid: 1_001, ms: 0 } })
    for (const { fields } of lines) {
      for (const name of ['level', 'time', 'process', 'pid', 'msg']) expect(fields).not.toHaveProperty(name)
    }
  })

  it('says after 5 s and each 10 s what a start waits for', async () => {
    let freePort = () => {}
    const awaitVerdictPort = () => new Promise<void>((resolve) => (freePort = resolve))
    const { lines, newest } = supervise({ awaitVerdictPort })
    const waits = () => lines.flatMap(({ fields }) => (fields.waitingFor ? [[fields.seconds, fields.waitingFor]] : []))
    await vi.advanceTimersByTimeAsync(4_999)
    expect(waits()).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    const notStarted = 'verdict-1: not started: control opens the data directory first'
    expect(waits()).toEqual([[5, ['control (process 1000): loading its program', notStarted]]])
    newest('control').say({ type: 'alive' })
    await vi.advanceTimersByTimeAsync(10_000)
    const atStore = 'control (process 1000): opening the data directory and the record'
    expect(waits().at(-1)).toEqual([15, [atStore, notStarted]])
    newest('control').say({ type: 'store-ready' })
    await vi.advanceTimersByTimeAsync(10_000)
    const atControl = 'control (process 1000): looking at imports, loading samples, listening'
    expect(waits().at(-1)).toEqual([25, [atControl, 'verdict-1: not started: the verdict port is in use']])
    freePort()
    await turn()
    newest('control').say({ type: 'ready', address: 'http://c', detail: '' })
    newest('verdict').say({ type: 'alive' })
    await vi.advanceTimersByTimeAsync(10_000)
    const atTables = 'verdict-1 (process 1001): taking up snapshots, building tables, listening'
    expect(waits().at(-1)).toEqual([35, [atTables]])
    expect(waits()).toHaveLength(4)
    newest('verdict').say({ type: 'ready', address: 'http://v', detail: 'uws' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(waits()).toHaveLength(4)
  })

  it('says of a process that ended that it is not started again yet', async () => {
    const { lines, newest } = supervise()
    for (let i = 0; i < 8; i++) {
      newest('control').end(null, 'SIGKILL')
      await vi.advanceTimersByTimeAsync(i < 7 ? 100 * 2 ** i : 0)
    }
    await vi.advanceTimersByTimeAsync(5_000)
    const waits = lines.flatMap(({ fields }) => (Array.isArray(fields.waitingFor) ? [fields.waitingFor[0]] : []))
    expect(waits.at(-1)).toBe('control: not started again yet: it ended, and the log says why')
  })

  it('says no more of a start that is given up', async () => {
    const { lines, supervision } = supervise()
    supervision.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(lines.filter(({ fields }) => 'waitingFor' in fields)).toEqual([])
  })

  it('never runs a verdict process twice, whoever starts it first', async () => {
    const { forks, living, newest, serve } = supervise()
    await serve()
    // Twice, so that the next start waits; control dies meanwhile and its successor opens the store.
    newest('verdict').end(null, 'SIGKILL')
    vi.advanceTimersByTime(0)
    newest('verdict').end(null, 'SIGKILL')
    newest('control').end(null, 'SIGKILL')
    vi.advanceTimersByTime(0)
    newest('control').say({ type: 'store-ready' })
    await turn()
    expect(living('verdict')).toHaveLength(1)
    vi.advanceTimersByTime(60_000)
    expect(living('verdict')).toHaveLength(1)
    expect(forks.filter((forked) => forked.role === 'verdict')).toHaveLength(3)
  })

  it.each(['throws', 'errs'] as const)('tries again, later each time, when a fork %s', async (refusal) => {
    const { ended, lines, living, newest, refusals, serve, supervision } = supervise()
    await serve()
    refusals.push(refusal, refusal, refusal)
    newest('verdict').end(null, 'SIGKILL')
    await vi.advanceTimersByTimeAsync(10)
    expect(living('verdict')).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(living('verdict')).toHaveLength(1)
    expect(lines.flatMap(({ fields }) => fields.waitMs ?? [])).toEqual([0, 100, 200, 400])
    supervision.stop()
    expect(await ended).toBe(0)
  })

  it('ends while a fork fails', async () => {
    const { ended, newest, refusals, serve, supervision } = supervise()
    await serve()
    refusals.push('errs')
    newest('verdict').end(null, 'SIGKILL')
    await turn()
    supervision.stop()
    await vi.advanceTimersByTimeAsync(10)
    expect(await ended).toBe(0)
  })

  it('ends everything it started, and then itself', async () => {
    const { supervision, ended, forks, newest, serve } = supervise()
    await serve()
    newest('verdict').end(null, 'SIGKILL')
    vi.advanceTimersByTime(0)
    newest('verdict').end(null, 'SIGKILL')
    newest('control').say({ type: 'store-ready' })
    vi.advanceTimersByTime(60_000)
    supervision.stop()
    expect(forks.filter((forked) => !forked.hasEnded)).toEqual([])
    expect(await ended).toBe(0)
  })

  it('hands on that control is alive while control serves, and not before', async () => {
    const { newest, serve } = supervise()
    const heard = () => newest('verdict').told.filter((message) => message.type === 'alive').length
    newest('control').say({ type: 'store-ready' })
    await turn()
    newest('control').say({ type: 'alive' })
    expect(heard()).toBe(0)
    await serve()
    newest('control').say({ type: 'alive' })
    newest('verdict').say({ type: 'alive' })
    expect(heard()).toBe(1)
  })

  it('hands on how fresh the record is, also to a verdict process that still starts', async () => {
    const { newest, serve } = supervise()
    const word = { type: 'record-fresh', freshMs: 1_700_000_000_000, state: 'following' } as const
    newest('control').say({ type: 'store-ready' })
    await turn()
    newest('control').say(word)
    expect(newest('verdict').told.at(-1)).toEqual(word)
    await serve()
    newest('control').say({ ...word, state: 'away' })
    expect(newest('verdict').told.at(-1)).toEqual({ ...word, state: 'away' })
    expect(newest('control').told.some(({ type }) => type === 'record-fresh')).toBe(false)
  })

  it('asks the verdict processes that serve about a call for control, and hands on what they answer', async () => {
    const { newest, serve } = supervise()
    const question = { type: 'call-match-request', id: 1, low: 2, high: 3, sinceMs: 4 } as const
    newest('control').say({ type: 'store-ready' })
    await turn()
    newest('control').say(question)
    expect(newest('verdict').told).not.toContainEqual(question)
    await serve()
    newest('control').say(question)
    expect(newest('verdict').told).toContainEqual(question)
    const answer = { type: 'call-match', id: 1, label: 'verdict-1', match: 'yes' } as const
    newest('verdict').say(answer)
    expect(newest('control').told).toContainEqual(answer)
    expect(newest('verdict').told).not.toContainEqual(answer)
  })

  it('kills a verdict process that is silent, and starts it again', async () => {
    const { forks, lines, living, newest, serve } = supervise()
    await serve()
    const frozen = newest('verdict')
    await vi.advanceTimersByTimeAsync(14_500)
    expect(frozen.signals).toEqual([])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(frozen.signals).toEqual(['SIGKILL'])
    expect(living('verdict')).toHaveLength(1)
    expect(lines.some(({ text }) => text === 'a process does not move; killing it')).toBe(true)
    // The silent control process lives, and so does who has not said its first word yet.
    await vi.advanceTimersByTimeAsync(60_000)
    expect(forks.filter((forked) => forked.hasEnded)).toEqual([frozen])
  })

  it('kills a verdict process that a signal has stopped, within a second; one that goes on in time lives', async () => {
    const stopped = new Set<number | undefined>()
    const { living, newest, serve } = supervise({ isStopped: (pid) => stopped.has(pid) })
    await serve()
    const verdict = newest('verdict')
    stopped.add(verdict.pid).add(newest('control').pid)
    await vi.advanceTimersByTimeAsync(600)
    stopped.delete(verdict.pid)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(verdict.signals).toEqual([])
    stopped.add(verdict.pid)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(verdict.signals).toEqual(['SIGKILL'])
    expect(living('verdict')).toHaveLength(1)
    // Its successor moves, and control is left alone.
    await vi.advanceTimersByTimeAsync(5_000)
    expect(living('verdict')).toHaveLength(1)
    expect(newest('control').signals).toEqual([])
  })

  it('lets a verdict process live that says something now and then', async () => {
    const { newest, serve } = supervise()
    await serve()
    for (let i = 0; i < 5; i++) {
      await vi.advanceTimersByTimeAsync(14_000)
      newest('verdict').say({ type: 'alive' })
    }
    expect(newest('verdict').signals).toEqual([])
  })

  it('starts nothing more once it was told to stop', async () => {
    const { supervision, ended, forks, newest, serve } = supervise()
    await serve()
    newest('verdict').end(null, 'SIGKILL')
    supervision.stop()
    vi.advanceTimersByTime(60_000)
    expect(forks).toHaveLength(2)
    expect(await ended).toBe(0)
  })

  it('kills what does not end when told', async () => {
    const { supervision, ended, newest, serve } = supervise()
    await serve()
    const verdict = newest('verdict')
    verdict.send = () => {}
    supervision.stop()
    expect(verdict.hasEnded).toBe(false)
    vi.advanceTimersByTime(8_000)
    expect(verdict.signals).toEqual(['SIGKILL'])
    expect(await ended).toBe(0)
  })

  it('starts no verdict process on a port that is somebody else’s, and says so', async () => {
    const taken = new ScreeningError('PORT_IN_USE', 'Port 8090 is in use.', { hint: 'Choose another.' })
    const { ended, forks, lines, newest } = supervise({ awaitVerdictPort: () => Promise.reject(taken) })
    newest('control').say({ type: 'store-ready' })
    expect(await ended).toBe(1)
    expect(forks).toHaveLength(1)
    expect(lines.at(-1)).toMatchObject({
      text: 'cannot start',
      fields: { why: 'PORT_IN_USE: Port 8090 is in use.', hint: 'Choose another.' },
    })
  })

  it('asks for the port once: later a sibling may hold it', async () => {
    let asked = 0
    const { living, newest, serve } = supervise({
      awaitVerdictPort: () => {
        asked++
        return Promise.resolve()
      },
    })
    await serve()
    newest('control').end(null, 'SIGKILL')
    newest('verdict').end(null, 'SIGKILL')
    await vi.advanceTimersByTimeAsync(0)
    newest('control').say({ type: 'store-ready' })
    await turn()
    expect(living('verdict')).toHaveLength(1)
    expect(asked).toBe(1)
  })

  it('gives up with the words of a process that cannot start at all', async () => {
    const { ended, lines, newest } = supervise()
    newest('control').say({ type: 'failed', code: 'STORAGE_FORMAT', message: 'Too new.' })
    newest('control').end(70, null)
    expect(await ended).toBe(1)
    expect(lines.at(-1)).toMatchObject({ text: 'cannot start', fields: { why: 'STORAGE_FORMAT: Too new.' } })
  })

  it.each(['', 'redis://127.0.0.1:1'])(
    'hands on who is busy to the other verdict processes, and to control when there are other nodes (Redis: %j)',
    async (ZASLON_REDIS_URL) => {
      const { living, newest, serve } = supervise({}, { ZASLON_VERDICT_PROCESSES: '3', ZASLON_REDIS_URL })
      await serve()
      const [one, two] = living('verdict')
      for (const verdict of [one, two]) verdict?.say({ type: 'ready', address: 'http://v', detail: 'uws' })
      const heard = (process: FakeProcess | undefined) => process?.told.filter(({ type }) => type === 'active-callers')
      const fromOne = { type: 'active-callers', source: 'verdict-1', summaries: Uint32Array.of(1) } as const
      one?.say(fromOne)
      expect([heard(one), heard(two), heard(newest('control'))]).toEqual([
        [],
        [fromOne],
        ZASLON_REDIS_URL === '' ? [] : [fromOne],
      ])
      const fromAway = { type: 'active-callers', source: 'aa/1', summaries: Uint32Array.of(2) } as const
      newest('control').say(fromAway)
      expect([heard(one), heard(two)]).toEqual([[fromAway], [fromOne, fromAway]])
      expect(heard(newest('control'))?.includes(fromAway)).toBe(false)
    },
  )

  it('hands on to control alone who talks for long with a reported number', async () => {
    const { living, newest, serve } = supervise({}, { ZASLON_VERDICT_PROCESSES: '2' })
    await serve()
    const word = { type: 'good-talks', number: 79_160_000_001, ingress: 3, callees: 2, atMs: 1 } as const
    living('verdict')[0]?.say(word)
    expect(newest('control').told.at(-1)).toEqual(word)
    expect(living('verdict').flatMap(({ told }) => told.filter(({ type }) => type === 'good-talks'))).toEqual([])
  })
})
