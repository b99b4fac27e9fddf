import { expect, it } from 'vitest'
import { createTurns } from '../../../src/stores/redis/turns.ts'

it('lets in as many as may be inside, and the others in line as those leave', async () => {
  const turns = createTurns(2)
  const entered: number[] = []
  const leaves = [0, 1, 2, 3].map((index) =>
    turns.enter().then((leave) => {
      entered.push(index)
      return leave
    }),
  )
  const first = await leaves[0]
  await leaves[1]
  expect(entered).toEqual([0, 1])
  first?.()
  await leaves[2]
  expect(entered).toEqual([0, 1, 2])
})
