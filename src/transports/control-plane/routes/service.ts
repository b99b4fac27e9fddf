import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { formatTime } from '../../../services/parse-time.ts'
import type { VerdictProcessState } from '../../../telemetry/verdict-metrics.ts'
import type { ControlPlaneDependencies, RouteContext } from '../dependencies.ts'
import { RecordHealth, recordReasons, representRecordHealth } from '../represent-record.ts'
import { Moment, oneOf, operation } from '../schemas.ts'

const Ready = Type.Object({
  status: oneOf(['ready', 'degraded'], {
    description: 'degraded: no verdict process answers, one lags behind, or this node lags behind its record.',
  }),
  reasons: Type.Array(Type.String(), { description: 'Why it is degraded, in full sentences.' }),
  record: RecordHealth,
  lastSequence: Type.Integer({ description: 'The newest change.' }),
  policyVersion: Type.Integer(),
  lists: Type.Integer(),
  verdictProcesses: Type.Array(
    Type.Object({
      label: Type.String(),
      adapter: Type.String(),
      threads: Type.Integer(),
      inForce: Type.Integer({ description: 'Changes up to this one are in force in every thread.' }),
      behind: Type.Integer({ description: 'Changes not in force yet.' }),
      freshAt: Type.Optional({
        ...Moment,
        description:
          'Everything of then is in force. Not there: not known, because the record in Redis was never read.',
      }),
      uptimeSeconds: Type.Number(),
    }),
  ),
})

const CLOCK_JUMPED =
  "The machine's clock has jumped; the node goes on by the time that has passed: zaslon clock status."

/** More than a moment behind: changes are in force within 100 ms when all is well, those of other nodes within 1 s. */
const LAGGING_MS = 5_000

export function installServiceRoutes({ app, services, now }: RouteContext, deps: ControlPlaneDependencies): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  const common = { tag: 'service', access: 'public' } as const

  typed.get(
    '/health/live',
    operation({
      ...common,
      summary: 'The process runs',
      answers: { 200: Type.Object({ status: Type.Literal('live') }) },
    }),
    async () => ({ status: 'live' as const }),
  )
  typed.get(
    '/health/ready',
    operation({
      ...common,
      summary: 'The record can be read; says how far the verdict processes are',
      answers: { 200: Ready },
      errors: ['STORAGE_FAILED'],
    }),
    async () => {
      const record = services.recordState()
      const states = await deps.verdictStatus()
      const processes = states.map((state) => represent(state, record.lastSequence))
      const view = services.record.view()
      const nowMs = now()
      const isLagging = states.some(
        ({ inForce, freshMs }) => inForce < record.lastSequence && nowMs - freshMs > LAGGING_MS,
      )
      const reasons = [
        ...(processes.length === 0 ? ['No verdict process answers.'] : []),
        ...(isLagging ? ['A verdict process lags behind the changes made here.'] : []),
        ...(services.clock.view().aheadMs === 0 ? [] : [CLOCK_JUMPED]),
        ...recordReasons(view, nowMs, LAGGING_MS),
      ]
      return {
        status: reasons.length > 0 ? ('degraded' as const) : ('ready' as const),
        reasons,
        record: representRecordHealth(view),
        lastSequence: record.lastSequence,
        policyVersion: record.policyVersion,
        lists: record.lists.length,
        verdictProcesses: processes,
      }
    },
  )
  typed.get(
    '/metrics',
    operation({
      tag: 'service',
      summary: 'Prometheus metrics',
      access: ['metrics'],
      produces: ['text/plain'],
      answers: { 200: Type.String() },
    }),
    async (_request, reply) => {
      const processes = await deps.verdictStatus()
      const record = services.recordState()
      const recordView = services.record.view()
      const { aheadMs } = services.clock.view()
      const text = await deps.metrics.render({ record, recordView, processes, nowMs: now(), clockAheadMs: aheadMs })
      return reply.type(deps.metrics.contentType).send(Buffer.from(text))
    },
  )
  app.get('/', { schema: { hide: true }, config: { access: 'public' } }, async (_request, reply) =>
    reply.redirect('/docs', 302),
  )
}

function represent(state: VerdictProcessState, lastSequence: number) {
  const { label, adapter, threads, inForce, uptimeSeconds } = state
  const behind = Math.max(0, lastSequence - inForce)
  const fresh = state.freshMs === 0 ? {} : { freshAt: formatTime(state.freshMs) }
  return { label, adapter, threads, inForce, behind, ...fresh, uptimeSeconds }
}
