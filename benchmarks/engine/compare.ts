/** A point and its score. */
export type Scored = [id: number, score: number]

/** Scores are sums of float32, in other orders of addition on either side. */
const TOLERANCE = 2e-5

/**
 * Whether two answers agree: as many points, each pair of scores equal to rounding, and the same points except among ties. Says what does
 * not, and the largest difference of two scores.
 */
export function differenceOfAnswers(ours: Scored[], theirs: Scored[]): { difference?: string; largest: number } {
  let largest = 0
  if (ours.length !== theirs.length)
    return { difference: `${ours.length} points, the engine has ${theirs.length}`, largest }
  for (let i = 0; i < ours.length; i++) {
    const off = Math.abs(ours[i][1] - theirs[i][1]) / Math.max(1, Math.abs(theirs[i][1]))
    largest = Math.max(largest, off)
    if (!(off <= TOLERANCE)) return { difference: `score ${i} is ${ours[i][1]}, the engine's ${theirs[i][1]}`, largest }
  }
  const scores = new Map(theirs)
  for (const [id, score] of ours) {
    const known = scores.get(id)
    // A point that only one of them has must tie with one at an end of the page.
    const others = known === undefined ? [theirs[0][1], theirs[theirs.length - 1][1]] : [known]
    if (others.every((other) => Math.abs(score - other) > 2 * TOLERANCE * Math.max(1, Math.abs(score))))
      return { difference: `point ${id} with ${score}, the engine has ${known ?? 'others'}`, largest }
  }
  return { largest }
}

interface StoredPoint {
  id: number
  vector: Record<string, number[]>
  payload: unknown
}

/** What is stored otherwise, a line for each point. */
export function differenceOfPoints(
  ours: StoredPoint[],
  theirs: [number, Record<string, number[]>, unknown][],
): string[] {
  const found = new Map(theirs.map(([id, vector, payload]) => [id, { vector, payload }]))
  return ours.flatMap(({ id, vector, payload }) => {
    const other = found.get(id)
    if (other === undefined) return [`point ${id} is not in the engine`]
    const names = Object.keys(vector).filter((name) =>
      vector[name].some((value, i) => Math.abs(value - other.vector[name][i]) > 1e-6 * Math.max(1, Math.abs(value))),
    )
    if (names.length > 0)
      return [`point ${id}: ${names.map((name) => `${name} ${vector[name]}, the engine ${other.vector[name]}`)}`]
    return JSON.stringify(payload) === JSON.stringify(other.payload)
      ? []
      : [`payload of ${id}: ${JSON.stringify(payload)}, the engine ${JSON.stringify(other.payload)}`]
  })
}
