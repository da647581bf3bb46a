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

/** Seconds as '0.53 s' or '12.3 s' or '3 min 20 s'. */
export function duration(seconds: number): string {
  if (seconds >= 120) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`
}
