import { randomBytes } from 'node:crypto'
import type { Activity } from '../shm/activity.ts'
import { createActivityCollector } from '../shm/activity-summary.ts'
import {
  hearSource,
  noteRows,
  REMOTE_SOURCES_MAX,
  type RemoteActivity,
  SOURCE_SILENT_SECONDS,
} from '../shm/remote-activity.ts'
import type { ActivityChannel } from '../stores/redis/activity-channel.ts'
import { decodeActivity, encodeActivity, SUMMARIES_MAX } from './activity-wire.ts'
import type { ActiveCallersMessage } from './messages.ts'

/**
 * Who is busy, told between verdict processes once a second: by way of the supervisor to the others of this node, and by
 * way of control and Redis to those of other nodes. Nothing waits for it, nothing depends on a message arriving, and what
 * arrives is checked row by row.
 */
const TELL_EVERY_MS = 1_000

export type ActivityExchange = {
  /** What another process says. */
  hear(message: ActiveCallersMessage): void
  /** Tells the others at once; a timer does it every second. */
  tellOthers(): void
  /** Rows that could not be true, since the start. */
  readonly refusedRows: number
  stop(): void
}

export type ActivityExchangeDependencies = {
  /** Opened by this thread, which takes no calls. */
  readonly activity: Activity
  readonly remote: RemoteActivity
  /** Hands the message to the supervisor and calls back when it is gone. */
  readonly tell: (message: ActiveCallersMessage, sent: () => void) => void
  readonly now: () => number
}

/** The verdict process's end. `label`: of this process, which hears the others only. */
export function startActivityExchange(
  { label }: { readonly label: string },
  { activity, remote, tell, now }: ActivityExchangeDependencies,
): ActivityExchange {
  const collector = createActivityCollector(activity)
  const serialOf = createSourceSerials()
  let isSending = false
  let refusedRows = 0

  function tellOthers(): void {
    // A supervisor that does not read is told nothing meanwhile, and the newest afterwards.
    if (isSending) return
    isSending = true
    tell({ type: 'active-callers', source: label, summaries: collector.collect(now(), SUMMARIES_MAX) }, () => {
      isSending = false
    })
  }

  const timer = setInterval(tellOthers, TELL_EVERY_MS)
  timer.unref()
  return {
    hear({ source, summaries }) {
      const nowMs = now()
      const serial = source === label ? undefined : serialOf(source, nowMs)
      if (serial === undefined) return
      refusedRows += noteRows(remote, serial, summaries, nowMs)
      hearSource(remote, serial, nowMs)
    },
    tellOthers,
    get refusedRows() {
      return refusedRows
    },
    stop: () => clearInterval(timer),
  }
}

/** 16 bits: 64 places, and generations that tell who has one from who had it. */
const GENERATIONS = 2 ** 16 / REMOTE_SOURCES_MAX

/** A serial for each source; undefined for a new one while all places are taken by sources that speak. */
function createSourceSerials() {
  const serials = new Map<string, number>()
  const heardMs = new Map<string, number>()
  const places: (string | undefined)[] = Array.from({ length: REMOTE_SOURCES_MAX }, () => undefined)
  const generations = new Uint16Array(REMOTE_SOURCES_MAX)
  return (source: string, nowMs: number): number | undefined => {
    const known = serials.get(source)
    if (known === undefined) {
      const silent = (one: string | undefined) =>
        one === undefined || Math.abs(nowMs - (heardMs.get(one) ?? 0)) > SOURCE_SILENT_SECONDS * 1_000
      const place = places.findIndex(silent)
      if (place < 0) return undefined
      const before = places[place]
      if (before !== undefined) {
        serials.delete(before)
        heardMs.delete(before)
      }
      places[place] = source
      // Never 0, which no source has.
      generations[place] = ((generations[place] ?? 0) % (GENERATIONS - 1)) + 1
      serials.set(source, (generations[place] ?? 0) * REMOTE_SOURCES_MAX + place)
    }
    heardMs.set(source, nowMs)
    return serials.get(source)
  }
}

/** Control's end: between the supervisor and the other nodes. */
export type ActivityRelay = {
  /** What a verdict process of this node says. */
  publish(message: ActiveCallersMessage): void
  close(): void
}

export type ActivityRelayDependencies = {
  readonly openChannel: (onMessage: (message: Uint8Array) => void) => ActivityChannel
  readonly tell: (message: ActiveCallersMessage) => void
}

export function startActivityRelay({ openChannel, tell }: ActivityRelayDependencies): ActivityRelay {
  const node = randomBytes(16).toString('hex')
  const channel = openChannel((bytes) => {
    const message = decodeActivity(bytes)
    if (message === undefined || message.node === node) return
    const { summaries } = message
    tell({ type: 'active-callers', source: `${message.node}/${message.process}`, summaries })
  })
  return {
    publish({ source, summaries }) {
      const process = Number(source.slice(source.lastIndexOf('-') + 1))
      channel.publish(encodeActivity({ node, process, summaries }))
    },
    close: () => channel.close(),
  }
}
