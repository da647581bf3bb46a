import picomatch from 'picomatch'

/** A location with wildcards. */
export interface Glob {
  /** Folders before the first wildcard, without the slash at the end: names there are taken as they are written. */
  readonly base: string
  /** Everything before the first wildcard. */
  readonly prefix: string
  /** Whether the glob matches this path below the base, or a folder that it lies in. */
  matches(path: string): boolean
  /** Whether anything below this folder, itself below the base, may match. */
  mayHold(folder: string): boolean
}

const WILDCARD = /[*?[{]/

/**
 * `*` and `?` stand for characters of one name, `**` for any folders, `[abc]` for one of the characters, `{a,b}` for one of
 * the texts. Every other character stands for itself, and `[*]` for an asterisk. Undefined for a location without wildcards.
 */
export function parseGlob(location: string): Glob | undefined {
  const first = location.search(WILDCARD)
  if (first < 0) return undefined
  const slash = location.lastIndexOf('/', first)
  const pattern = location.slice(slash + 1).replace(/\/+$/, '')
  // Parentheses mean groups to picomatch, and nothing here.
  const options = { dot: true, nonegate: true, noextglob: true, literalBrackets: false }
  const isMatch = picomatch(pattern.replace(/[()|]/g, '\\$&'), options)
  const depth = /\*\*|\{[^}]*\//.test(pattern) ? Number.POSITIVE_INFINITY : pattern.split('/').length
  const matches = (path: string): boolean => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (isMatch(path.slice(0, end))) return true
    }
    return false
  }
  return {
    base: location.slice(0, Math.max(0, slash)),
    prefix: location.slice(0, first),
    matches,
    mayHold: (folder) => folder.split('/').length < depth || matches(folder),
  }
}
