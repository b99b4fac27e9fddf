import { SCENARIOS } from '../../domain/report.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

const STATE = SCENARIOS.indexOf('state-services') + 1
const OPERATOR = SCENARIOS.indexOf('operator-code') + 1
const BANK = SCENARIOS.indexOf('bank') + 1

/** Two reporters or more, most of whom were called in the name of a bank, of the operator or of a state service. */
export const impersonation: Signal = (_call, { scenario }) =>
  scenario === STATE || scenario === OPERATOR || scenario === BANK ? STRENGTH_FULL : 0
