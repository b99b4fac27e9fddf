import type { ListKind } from '../domain/number-list.ts'
import { isPhoneNumber, type ParsedNumber, type PhoneNumber } from '../domain/phone-number.ts'
import type { ListMembership } from './list-membership.ts'

/** What is known about a caller now, before any change. */
export type Standing = {
  readonly protected: boolean
  readonly allowListed: boolean
  /** Subscribers have reported the number at some time. */
  readonly reported: boolean
}

/** Callers as the decision log writes them: `+7…`, or why there is no number. */
export type CallerStanding = {
  isListed(caller: string, kind: ListKind): boolean
  of(caller: string): Standing
}

export function createCallerStanding(deps: {
  readonly membership: ListMembership
  readonly isReported: (number: PhoneNumber) => boolean
  /** parsePhoneNumber in mode `call`: reads back what the log wrote. */
  readonly parse: (text: string) => ParsedNumber
  readonly now: () => number
}): CallerStanding {
  function isListed(caller: string, kind: ListKind): boolean {
    const number = deps.parse(caller)
    if (!isPhoneNumber(number)) return false
    return deps.membership.of(number, deps.now(), [kind]).some((entry) => !entry.isExpired)
  }
  return {
    isListed,
    of(caller) {
      const number = deps.parse(caller)
      return {
        protected: isListed(caller, 'protected'),
        allowListed: isListed(caller, 'allow'),
        reported: isPhoneNumber(number) && deps.isReported(number),
      }
    },
  }
}
