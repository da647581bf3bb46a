import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { runChild } from './training.ts'

// V8's middle compiler, alone and with full collections between, takes figures of one result for another's where a function
// with a loop ends in an object literal (see RankingMetrics): metrics built so were wrong in each of 8 such processes.
test('the same lists and the same training give the same figures in every round', async () => {
  const rounds = 40
  const processes = Math.min(4, availableParallelism())
  const runs = await Promise.all(
    Array.from({ length: processes }, () =>
      runChild('./figures-child.ts', [String(rounds)], ['--expose-gc', '--max-opt=2']),
    ),
  )
  for (const { code, output } of runs) {
    expect(code).toBe(0)
    expect(JSON.parse(output)).toEqual({ rounds, different: { metrics: 0, losses: 0, lists: 0, explanations: 0 } })
  }
})
