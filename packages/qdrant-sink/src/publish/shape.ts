import type { Schemas } from '@qdrant/js-client-rest'

/** Dimension and distance of each vector of a point, by name. */
export type Shape = readonly { name: string; dimension: number; distance: Schemas['Distance'] }[]

/** Both shapes in words where a query could tell them apart; undefined where none can. */
export function differenceOfShapes(
  served: Schemas['VectorsConfig'] | null | undefined,
  published: Shape,
): { served: string; published: string } | undefined {
  const now = describeShape(shapeOf(served))
  const then = describeShape(published)
  return now === then ? undefined : { served: now, published: then }
}

function shapeOf(config: Schemas['VectorsConfig'] | null | undefined): Shape {
  const named = typeof config?.size === 'number' ? { '': config } : (config ?? {})
  return Object.entries(named as Record<string, Schemas['VectorParams']>).map(([name, { size, distance }]) => ({
    name,
    dimension: size,
    distance,
  }))
}

function describeShape(shape: Shape): string {
  const words = shape.map(
    ({ name, dimension, distance }) => `${name && `"${name}" of `}${dimension} dimensions by ${distance}`,
  )
  return words.sort().join(' and ') || 'no vectors'
}
