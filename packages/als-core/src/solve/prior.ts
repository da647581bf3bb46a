import type { FeatureProducts } from '../features/feature-products.ts'
import type { ModelOptions } from '../model/options.ts'

/** What a half-sweep regularises rows towards, and λ where it is the same for all of them. */
export interface Prior extends FeatureProducts {
  readonly lambda: number
}

export function priorOf({ matrix, vectors }: FeatureProducts, { regularization }: ModelOptions): Prior {
  const { indptr, indices, values } = matrix
  // Not the names, which threads have no use for.
  return { matrix: { indptr, indices, values }, vectors, lambda: regularization }
}
