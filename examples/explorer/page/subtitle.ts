import type { Item } from '../answers.ts'

/** "Distant Transmission · 1993 · Germany" */
export function subtitleOf({ artists, year, country }: Item): string {
  return [artists.join(', '), year, country].filter((part) => part !== null && part !== '').join(' · ')
}
