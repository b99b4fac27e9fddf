import { type Fields, fieldsOf } from './fields.ts'
import { counted, type Output, printable, shortTime, thousands } from './output.ts'

/** What a rehearsal says, as tables: what would change, whom it would hit, where, and examples. */
export function printRehearsal(output: Output, body: unknown): void {
  const rehearsal = fieldsOf(body)
  const callers = rehearsal.fields('callers')
  const changed = rehearsal.number('changed')
  const whom = callers.has('changed')
    ? `, of ${callers.flag('complete') === false ? 'at least ' : ''}${counted(callers.number('changed'), 'caller')}`
    : ''
  const what = rehearsal.has('ends') ? 'replayed call' : 'recorded decision'
  output.line(`${thousands(changed)} of ${counted(rehearsal.number('decisions'), what)} would change${whom}.`)
  output.table(['from', 'to', 'decisions'], rehearsal.items('changes').map(changeRow))
  if (changed !== undefined && changed > 0) {
    section(
      output,
      'Callers hit most',
      ['caller', 'changed', 'how', 'known as'],
      callers.items('hitMost').map(callerRow),
    )
    section(output, 'By trunk', ['trunk', 'changed', 'of'], rehearsal.items('trunks').map(shareRow('trunk')))
    section(output, 'By ingress', ['ingress', 'changed', 'of'], rehearsal.items('ingress').map(shareRow('ingress')))
    section(
      output,
      'Examples',
      ['time (UTC)', 'caller', 'was', 'would be', 'tipped by', 'reasons then'],
      rehearsal.items('examples').map(exampleRow),
    )
  }
  const caveats: unknown = rehearsal.fields('caveats').value
  if (Array.isArray(caveats)) for (const caveat of caveats) output.note(printable(caveat))
}

function section(output: Output, title: string, head: readonly string[], rows: readonly string[][]): void {
  if (rows.length === 0) return
  output.line()
  output.line(title)
  output.table(head, rows)
}

function changeRow(change: Fields): string[] {
  return [printable(change.text('from')), printable(change.text('to')), thousands(change.number('count'))]
}

function callerRow(caller: Fields): string[] {
  const how = caller.items('changes').map((change) => {
    return `${change.text('from')} to ${change.text('to')} ${thousands(change.number('count'))}`
  })
  const known = [
    ...(caller.flag('protected') ? ['protected'] : []),
    ...(caller.flag('allowListed') ? ['allow-listed'] : []),
    ...(caller.flag('reported') ? ['reported'] : []),
  ]
  return [
    printable(caller.text('caller')),
    thousands(caller.number('changed')),
    printable(how.join(', ')),
    known.length === 0 ? '-' : known.join(', '),
  ]
}

function shareRow(name: string): (share: Fields) => string[] {
  return (share) => [
    printable(share.text(name)) || '(none)',
    thousands(share.number('changed')),
    thousands(share.number('decisions')),
  ]
}

/** Of the decision log, or of replayed events: both sides were decided anew. */
function exampleRow(example: Fields): string[] {
  const isEvent = example.has('inForce')
  const was = example.fields(isEvent ? 'inForce' : 'was')
  const would = isEvent ? example.fields('candidate') : example
  const call = isEvent ? example : was
  const tipped = example.fields('tippedBy')
  const reasons = was.items('reasons').map((reason) => {
    return reason.has('list') ? `${reason.text('code')}:${reason.text('list')}` : `${reason.text('code')}`
  })
  return [
    shortTime(call.text('at')),
    printable(call.text('caller')),
    verdictText(was),
    verdictText(would),
    `${printable(tipped.text('cause'))} ${tipped.number('before') ?? '?'} to ${tipped.number('after') ?? '?'}`,
    printable(reasons.join(' ')),
  ]
}

function verdictText(decision: Fields): string {
  return `${printable(decision.text('decision'))} ${decision.number('score') ?? ''}`.trim()
}
