import type { RunningService } from '../../test/support/run-service.ts'
import { generatedNumber } from './generate-numbers.ts'
import { call } from './service-client.ts'
import { type Steady, steadily } from './steadily.ts'

/** Indexes of generatedNumber that no traffic uses. */
const REPORTED = 900_000_000
/** As many numbers are reported, in turn, each time by somebody else. */
const NUMBERS = 500

export function steadyReports(service: RunningService, perSecond: number): Steady {
  return steadily(perSecond, (index) =>
    call(service, 'POST', '/v1/reports', {
      number: generatedNumber(index % NUMBERS, REPORTED),
      channel: 'app',
      scenario: 'bank',
      reporter: `steady-${index}`,
    }),
  )
}
