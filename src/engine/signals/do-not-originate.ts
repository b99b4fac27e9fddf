import { STRENGTH_FULL } from '../../domain/signal.ts'
import { LIST_KIND_CODE } from '../compiled-state.ts'
import type { Signal } from './signal.ts'

/** The caller is a number that only ever receives calls, on a do-not-originate list. */
export const doNotOriginate: Signal = (_call, evidence) =>
  evidence.listByKind[LIST_KIND_CODE.doNotOriginate] === 0 ? 0 : STRENGTH_FULL
