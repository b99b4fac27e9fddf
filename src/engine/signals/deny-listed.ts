import { STRENGTH_FULL } from '../../domain/signal.ts'
import { LIST_KIND_CODE } from '../compiled-state.ts'
import type { Signal } from './signal.ts'

/** The caller is on a deny list. */
export const denyListed: Signal = (_call, evidence) =>
  evidence.listByKind[LIST_KIND_CODE.deny] === 0 ? 0 : STRENGTH_FULL
