import cliTruncate from 'cli-truncate'

const compactNumber = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })
const groupedNumber = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB']

/** 1234567 as '1.23M'. */
export function compact(value: number): string {
  return compactNumber.format(value)
}

/** 1234567 as '1,234,567'. */
export function grouped(value: number): string {
  return groupedNumber.format(value)
}

/** 1234567 as '1.23 MB'. */
export function bytes(value: number): string {
  const unit = Math.min(byteUnits.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)))
  return `${(value / 1000 ** unit).toPrecision(3)} ${byteUnits[unit]}`
}

/** Seconds as '0.53 s', '12.3 s', '3 min 20 s' or '2 h 5 min'; `digits` is the most after the point. */
export function duration(seconds: number, digits = 2): string {
  if (seconds >= 7200) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  if (seconds >= 119.5) return `${Math.floor(Math.round(seconds) / 60)} min ${Math.round(seconds) % 60} s`
  return `${seconds.toFixed(Math.min(digits, seconds < 9.995 ? 2 : 1))} s`
}

/** Text of at most `width` columns, an ellipsis in place of the rest. */
export function cut(text: string, width: number): string {
  return cliTruncate(text, width).replace(/[\s,;]+…$/, '…')
}
