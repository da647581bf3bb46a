import { median } from 'simple-statistics'
import type { Iteration } from './program.ts'
import type { Column } from './table.ts'

/** Where the seconds of an iteration went. */
export const phaseColumns: Column<Iteration>[] = [
  ['s/iteration', ({ seconds }) => seconds.toFixed(3)],
  ['gram', ({ report }) => share(report!.phases.gram, report!.seconds)],
  ['basis', ({ report }) => share(report!.phases.basis, report!.seconds)],
  ['transform', ({ report }) => share(report!.phases.transform, report!.seconds)],
  ['solve', ({ report }) => share(report!.phases.solve, report!.seconds)],
  ['steps/row', ({ report }) => report!.stepsPerRow.toFixed(2)],
]

/** The iteration whose seconds are the median. */
export function medianIteration(iterations: Iteration[]): Iteration {
  const sorted = [...iterations].sort((a, b) => a.seconds - b.seconds)
  const middle = median(sorted.map(({ seconds }) => seconds))
  return sorted.find(({ seconds }) => seconds >= middle)!
}

function share(seconds: number, total: number): string {
  return `${seconds.toFixed(3)} s, ${((100 * seconds) / total).toFixed(0)} %`
}
