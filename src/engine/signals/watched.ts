import { STRENGTH_FULL } from '../../domain/signal.ts'
import { LIST_KIND_CODE } from '../compiled-state.ts'
import type { Signal } from './signal.ts'

/** The caller is on a watch list: an analyst wants to see it. */
export const watched: Signal = (_call, evidence) =>
  evidence.listByKind[LIST_KIND_CODE.watch] === 0 ? 0 : STRENGTH_FULL
