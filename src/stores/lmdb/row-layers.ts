import type { FactBody } from '../fact.ts'
import type { ListRecord, ListVersion, NumberingPlan } from '../ports.ts'
import { LIVE_SPACE, makeKey } from './keys.ts'
import { LIVE_FORMAT_VERSION } from './live-format.ts'
import { decodeJson } from './values.ts'

type RowFact = Extract<FactBody, { kind: 'desk-rows' }>

const LIST = makeKey(LIVE_SPACE.list)
const VERSION = makeKey(LIVE_SPACE.listVersion)
const PLAN = makeKey(LIVE_SPACE.numberingPlan)

/** The versions and plans among the rows of a fact. Rows that cannot be read are refused where they are applied. */
export function versionsOfRows({ format, rows }: RowFact): {
  readonly versions: readonly Pick<ListVersion, 'layers'>[]
  readonly plans: readonly NumberingPlan[]
} {
  const versions: Pick<ListVersion, 'layers'>[] = []
  const plans: NumberingPlan[] = []
  for (const [keyText, value] of format === LIVE_FORMAT_VERSION ? rows : []) {
    const key = Buffer.from(keyText, 'base64')
    const isOf = (prefix: Buffer) => key.subarray(0, prefix.length).equals(prefix)
    if (isOf(LIST)) versions.push(...read<ListRecord>(value).flatMap(({ active }) => active ?? []))
    else if (isOf(VERSION)) versions.push(...read<ListVersion>(value))
    else if (isOf(PLAN)) plans.push(...read<NumberingPlan>(value))
  }
  return { versions, plans }
}

function read<T>(text: string): T[] {
  try {
    return [decodeJson<T>(Buffer.from(text, 'base64'))]
  } catch {
    return []
  }
}
