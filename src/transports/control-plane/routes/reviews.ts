import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ScreeningError } from '../../../domain/errors.ts'
import { REASON_CHARS_MAX } from '../../../domain/number-list.ts'
import { REVIEW_OUTCOMES } from '../../../domain/review.ts'
import type { RouteContext } from '../dependencies.ts'
import { ReviewAnswer, representReview } from '../represent.ts'
import { oneOf, operation, STRICT } from '../schemas.ts'

const Close = Type.Object(
  { outcome: oneOf(REVIEW_OUTCOMES), note: Type.Optional(Type.String({ maxLength: REASON_CHARS_MAX })) },
  STRICT,
)
const Closed = Type.Object({
  ...ReviewAnswer.properties,
  effect: oneOf(['blocked', 'allow-listed', 'none'], {
    description: 'What follows for the next call; allow-listed: an allow list still outranks the deny list.',
  }),
})

export function installReviewRoutes({ app, services, limits }: RouteContext): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  const common = { tag: 'reviews', access: ['analyst'] } as const
  const params = { id: Type.String() }

  typed.get(
    '/v1/reviews',
    operation({
      ...common,
      summary: 'Reviews: open ones with the highest score first, closed ones newest first',
      query: {
        state: Type.Optional(oneOf(['open', 'closed'], { default: 'open' })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
      },
      answers: { 200: Type.Object({ reviews: Type.Array(ReviewAnswer) }) },
    }),
    async ({ query }) => ({
      reviews: services.reviews.reviews(query.state ?? 'open', query.limit ?? 100).map(representReview),
    }),
  )
  typed.get(
    '/v1/reviews/:id',
    operation({ ...common, summary: 'One review', params, answers: { 200: ReviewAnswer }, errors: ['REVIEW_UNKNOWN'] }),
    async (request) => {
      const review = services.reviews.review(request.params.id)
      if (review === undefined) throw new ScreeningError('REVIEW_UNKNOWN', 'There is no review with this id.')
      return representReview(review)
    },
  )
  typed.post(
    '/v1/reviews/:id',
    {
      ...operation({
        ...common,
        summary: 'Close a review; confirmed puts the number on the deny list analyst-confirmed at once',
        description:
          'innocent takes the weight from everything that was reported until now. Whoever reported the number is believed more ' +
          'or less from then on, unless it is dismissed.',
        write: true,
        params,
        body: Close,
        answers: { 200: Closed },
        errors: ['REVIEW_UNKNOWN', 'REVIEW_CLOSED', 'LISTS_TOO_MANY', 'LIST_KIND_CONFLICT'],
      }),
      // It takes turns with imports of the list that the number goes on.
      handlerTimeout: limits.longHandlerTimeoutMs,
    },
    async (request) => {
      const { review, effect } = await services.reviews.close(request.params.id, request.body, request.actor)
      return { ...representReview(review), effect }
    },
  )
}
