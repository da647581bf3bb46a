import type { MetricOptions } from '@seesaw/als-core'
import type { Dial } from '../answers.ts'

/** The positions of the dial; docs/serving.md has the curves. */
export const metrics: Readonly<Record<Dial, MetricOptions & { metric: 'cosine' | 'taste' }>> = {
  likeness: { metric: 'cosine' },
  between: { metric: 'taste', lengthExponent: 0.5 },
  taste: { metric: 'taste' },
}
