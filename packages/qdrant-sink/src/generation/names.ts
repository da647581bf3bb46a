/** Collection of one generation: `NAME_<unix seconds>`. */
export function collectionName(alias: string, generation: number): string {
  return `${alias}_${generation}`
}

/** Alias of the users published along, where the caller names no other. */
export function usersAlias(alias: string): string {
  return `${alias}_users`
}

/** The generation in a collection's name; undefined when the name is not one of this alias. */
export function generationOf(alias: string, collection: string): number | undefined {
  if (!collection.startsWith(`${alias}_`)) return undefined
  const suffix = collection.slice(alias.length + 1)
  return /^\d{9,11}$/.test(suffix) ? Number(suffix) : undefined
}

/**
 * The fence of an alias: a second alias whose name says which collection serves. A swap renames it, and renaming one that is gone
 * fails with 404, so of two publishers that began from the same generation only the first can swap.
 */
export function fenceName(alias: string, collection: string | undefined): string {
  return `${alias}@${collection ?? ''}`
}

/** Every fence of an alias begins with this. */
export function fencePrefix(alias: string): string {
  return `${alias}@`
}

/** Says what is wrong with an alias before the server does. */
export function checkAlias(alias: string): void {
  if (typeof alias !== 'string') throw new TypeError(`\`alias\` is ${alias}, expected a name.`)
  const invalid = /[<>:"/\\|?*@\p{Cc}]/u.exec(alias)?.[0]
  if (alias === '' || alias.length > 180 || invalid !== undefined) {
    const what = invalid === undefined ? `${alias.length} characters` : `the character ${JSON.stringify(invalid)}`
    throw new TypeError(
      `The alias ${JSON.stringify(alias)} has ${what}, expected 1 to 180 characters without <>:"/\\|?*@.`,
    )
  }
}
