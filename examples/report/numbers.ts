/** 0.2626 as '26.3 %', which no line breaks. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}\u00a0%`
}

/** A metric between 0 and 1, as papers print it. */
export function metric(value: number): string {
  return value.toFixed(4)
}

/** The counts of an octave: '1', '2–3', '4–7'. */
export function octaveRange(octave: number): string {
  const from = 2 ** octave
  return from === 1 ? '1' : `${from.toLocaleString('en')}–${(2 * from - 1).toLocaleString('en')}`
}

/** Where an octave begins, for an axis: '1', '64', '4K' for 4,096. */
export function octaveStart(octave: number): string {
  return octave < 10 ? String(2 ** octave) : `${2 ** (octave % 10)}${' KMG'[Math.floor(octave / 10)]}`
}

/** The unit of bytes in which a largest value has one to three digits before the point. */
export function byteUnit(most: number): { readonly name: string; readonly size: number } {
  const names = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(names.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, most)) / 3)))
  return { name: names[power]!, size: 1000 ** power }
}

/** The unit of time in which a run reads well. */
export function timeUnit(seconds: number): { readonly name: string; readonly size: number } {
  if (seconds >= 3 * 3600) return { name: 'hours', size: 3600 }
  return seconds >= 300 ? { name: 'minutes', size: 60 } : { name: 'seconds', size: 1 }
}

/** Values as shares of their sum; of nothing, nothing. */
export function shares(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0)
  return values.map((value) => (sum > 0 ? value / sum : 0))
}
