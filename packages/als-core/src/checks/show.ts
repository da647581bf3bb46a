/** A value as messages show it: strings in quotes, so that "5" is not taken for 5. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString()
  if (typeof value !== 'object' || value === null) return String(value)
  const isPlain = Object.getPrototypeOf(value) === Object.prototype
  return isPlain ? `{${Object.keys(value).slice(0, 5).join(', ')}}` : `[object ${value.constructor?.name ?? 'Object'}]`
}
