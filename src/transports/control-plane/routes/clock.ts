import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { ClockView } from '../../../services/clock-desk.ts'
import { formatTime } from '../../../services/parse-time.ts'
import type { RouteContext } from '../dependencies.ts'
import { Moment, oneOf, operation } from '../schemas.ts'

const Clock = Type.Object({
  state: oneOf(['steady', 'jumped'], { description: 'jumped: the node goes by the time that has passed instead.' }),
  now: Moment,
  machine: Moment,
  aheadSeconds: Type.Number({ description: "How far the machine's clock is ahead of the node's; negative: behind." }),
})

function represent({ nowMs, wallMs, aheadMs }: ClockView) {
  return {
    state: aheadMs === 0 ? ('steady' as const) : ('jumped' as const),
    now: formatTime(nowMs),
    machine: formatTime(wallMs),
    aheadSeconds: Math.round(aheadMs / 1_000),
  }
}

export function installClockRoutes({ app, services }: RouteContext): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  const answers = { 200: Clock }

  typed.get(
    '/v1/clock',
    operation({
      tag: 'service',
      summary: "The time the node goes by, and the machine's clock",
      access: ['analyst', 'metrics'],
      answers,
    }),
    async () => represent(services.clock.view()),
  )
  typed.post(
    '/v1/clock/accept',
    operation({
      tag: 'service',
      summary: "The machine's clock is right: the node goes by it from now on",
      description:
        'After a jump of more than an hour the node goes on by the time that has passed, so that a wrong clock does not let ' +
        'every expiry run out at once. When the machine has the right time now, this says so; what has run out by it ends.',
      access: [],
      write: true,
      answers,
    }),
    async ({ actor }) => {
      await services.clock.accept(actor)
      return represent(services.clock.view())
    },
  )
}
