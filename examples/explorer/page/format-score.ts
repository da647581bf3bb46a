/** Scores of one list with as many digits as tell them apart: cosines have three, inner products may need more. */
export function formatScores(scores: readonly number[]): string[] {
  const largest = Math.max(...scores.map(Math.abs))
  const digits = largest > 0 ? Math.min(9, Math.max(3, 3 - Math.ceil(Math.log10(largest)))) : 3
  return scores.map((score) => score.toFixed(digits).replace('-', '−'))
}
