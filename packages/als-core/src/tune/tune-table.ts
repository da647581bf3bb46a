import type { TuneResult } from './tune.ts'

/** The runs as a Markdown table. */
export function tuneTable({ runs }: Pick<TuneResult, 'runs'>): string {
  const names = [
    ...new Set(runs.flatMap(({ parameters }) => Object.keys(parameters))),
  ] as (keyof TuneResult['best']['parameters'])[]
  const rows = [
    ['trial', ...names, 'iterations', 'value', 'seconds'],
    ['---', ...names.map(() => '---'), '---', '---', '---'],
    ...runs.map(({ trial, parameters, iterations, value, seconds, failure }) => [
      String(trial),
      ...names.map((name) => String(parameters[name] ?? '')),
      String(iterations),
      failure === undefined ? value.toFixed(4) : 'failed',
      seconds.toFixed(1),
    ]),
  ]
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
