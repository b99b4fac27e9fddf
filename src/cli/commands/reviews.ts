import { type Command, Option } from 'commander'
import { REVIEW_OUTCOMES } from '../../domain/review.ts'
import { parseCount } from '../command-context.ts'
import { type CommandRegistry, examples } from '../create-program.ts'
import { type Fields, fieldsOf, itemsOf } from '../fields.ts'
import { printable, shortTime } from '../output.ts'

const LIMIT_MAX = 1_000

/** `zaslon reviews …`: numbers somebody should look at. */
export function addReviewsCommand(program: Command, registry: CommandRegistry): void {
  const reviews = program
    .command('reviews')
    .description('numbers that wait for a decision by a person')
    .addHelpText(
      'after',
      examples([
        ['zaslon reviews ls', 'what is waiting'],
        ['zaslon reviews close r-17 --outcome confirmed', 'block it'],
      ]),
    )
  addList(reviews, registry)
  addShow(reviews, registry)
  addClose(reviews, registry)
}

function addList(reviews: Command, registry: CommandRegistry): void {
  const command = reviews
    .command('ls')
    .description('open reviews, highest score first')
    .addOption(new Option('--state <state>', 'open or closed').choices(['open', 'closed']).default('open'))
    .option('--limit <count>', `at most so many (1-${LIMIT_MAX})`, '50')
    .addHelpText('after', examples([['zaslon reviews ls', 'what is waiting']]))
    .action(async (options: { state: string; limit: string }) => {
      const { output, client } = registry.context(command)
      const query = { state: options.state, limit: parseCount('--limit', options.limit, LIMIT_MAX) }
      const body = await client.call('control', '/v1/reviews', { query })
      if (output.isJson) return output.json(body)
      const head = ['review', 'number', 'score', 'causes', 'opened (UTC)', 'outcome']
      output.table(head, itemsOf(body, 'reviews').map(toRow))
    })
}

function toRow(review: Fields): string[] {
  return [
    printable(review.text('reviewId')),
    printable(review.text('number')),
    String(review.number('score') ?? ''),
    causesOf(review),
    shortTime(review.text('openedAt')),
    printable(review.text('outcome')),
  ]
}

function causesOf(review: Fields): string {
  const causes: unknown = review.fields('causes').value
  return Array.isArray(causes) ? causes.map(printable).join(', ') : ''
}

function addShow(reviews: Command, registry: CommandRegistry): void {
  const command = reviews
    .command('show')
    .description('one review')
    .argument('<reviewId>')
    .addHelpText('after', examples([['zaslon reviews show r-17', 'one review']]))
    .action(async (reviewId: string) => {
      const { output, client } = registry.context(command)
      const body = await client.call('control', `/v1/reviews/${encodeURIComponent(reviewId)}`)
      if (output.isJson) return output.json(body)
      const review = fieldsOf(body)
      output.line(
        `${printable(review.text('number'))}  score ${review.number('score') ?? '?'}  ${printable(review.text('state'))}`,
      )
      output.line(`  causes   ${causesOf(review)}`)
      output.line(`  opened   ${shortTime(review.text('openedAt'))}`)
      if (review.has('outcome')) {
        output.line(`  outcome  ${printable(review.text('outcome'))} by ${printable(review.text('closedBy'))}`)
      }
      if (review.has('note')) output.line(`  note     ${printable(review.text('note'))}`)
    })
}

function addClose(reviews: Command, registry: CommandRegistry): void {
  const command = reviews
    .command('close')
    .description('close a review; confirmed: the number is blocked at once')
    .argument('<reviewId>')
    .addOption(new Option('--outcome <outcome>', 'what came out').choices(REVIEW_OUTCOMES).makeOptionMandatory())
    .option('--note <text>', 'why')
    .addHelpText(
      'after',
      examples([
        ['zaslon reviews close r-17 --outcome confirmed --note "called back: fraud"', 'block it'],
        ['zaslon reviews close r-18 --outcome innocent', 'it is a bank'],
      ]),
    )
    .action(async (reviewId: string, options: { outcome: string; note?: string }) => {
      const { output, client } = registry.context(command)
      const json = { outcome: options.outcome, ...(options.note ? { note: options.note } : {}) }
      const body = await client.call('control', `/v1/reviews/${encodeURIComponent(reviewId)}`, { method: 'POST', json })
      if (output.isJson) return output.json(body)
      const effect = fieldsOf(body).text('effect')
      const after = effect === 'blocked' ? ' Calls from the number are blocked from now on.' : ''
      output.line(`Closed as ${options.outcome}.${after}`)
      if (effect === 'allow-listed') output.note('The number is still allow-listed, which outranks the deny list.')
    })
}
