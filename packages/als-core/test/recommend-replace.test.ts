/** A recommender whose model changes night after night. */
import { expect, it } from 'vitest'
import { runChild } from './training.ts'

it('does not keep the indexes of the models before', async () => {
  const { code, output } = await runChild('replace-child.ts', [])
  expect(code).toBe(0)
  const resident = output.trim().split('\n').map(Number)
  expect(resident).toHaveLength(16)
  // An index takes 14 MB: twelve would be 168.
  expect(resident[15] - resident[3]).toBeLessThan(5 * 14)
})
