import type { StoredFile } from './byte-source.ts'

/** Why a name below a location is not read. */
export type LeftOutReason =
  /** A name on its path begins with "." or, without a "=" in it, with "_": markers, temporary files, logs of table formats. */
  | 'hidden'
  /** It has an extension other than .parquet, .parq or .pq. */
  | 'extension'
  /** Nothing is in it, and no extension calls it Parquet: what some tools leave in place of a folder. */
  | 'empty'
  /** Another name, by a symbolic link, of a file that is read already. */
  | 'duplicate'

/** A file, or a hidden folder with all below it, that a folder or a glob has and that is not read. */
export interface LeftOut {
  readonly uri: string
  readonly reason: LeftOutReason
}

/** What a location holds, both in ascending order of their names. */
export interface Listing {
  readonly files: readonly StoredFile[]
  readonly leftOut: readonly LeftOut[]
  /** The log of a table format, whose folder keeps files of earlier versions beside those of the current one. */
  readonly tableLog?: string
}

/** Delta Lake, Apache Hudi, Apache Iceberg. */
const TABLE_LOG = /(?<=^|\/)(?:_delta_log(?=\/|$)|\.hoodie(?=\/|$)|metadata\/[^/]+\.metadata\.json$)/

/**
 * The one rule of which names below a folder, a prefix or the fixed part of a glob are data, on disk and in S3:
 * names that are not hidden, at any level, and that end in .parquet, .parq or .pq in any case, or have no extension at all
 * (Athena, Trino and Hive write those) and are not empty. Spark's rule for hidden names: `_SUCCESS` is one, `_region=us` is not.
 */
export class ListingBuilder {
  readonly #files: StoredFile[] = []
  readonly #leftOut = new Map<string, LeftOutReason>()
  readonly #tableLogs = new Map<string, string>()

  /** Looks at a name below the location, wanted or not. */
  notice(uri: string, path: string): void {
    const at = path.search(TABLE_LOG)
    if (at >= 0) this.#tableLogs.set(uri.slice(0, uri.length - path.length + at), uri)
  }

  /** Adds a file; `path` is its name below the location. */
  add(file: StoredFile, path: string): void {
    const hidden = hiddenLength(path)
    if (hidden > 0) this.leaveOut(file.uri.slice(0, file.uri.length - path.length + hidden), 'hidden')
    else if (!hasDataExtension(path)) this.leaveOut(file.uri, 'extension')
    else if (file.byteLength === 0 && !path.includes('.', path.lastIndexOf('/'))) this.leaveOut(file.uri, 'empty')
    else this.#files.push(file)
  }

  leaveOut(uri: string, reason: LeftOutReason): void {
    this.#leftOut.set(uri, reason)
  }

  finish(): Listing {
    const leftOut = [...this.#leftOut].map(([uri, reason]) => ({ uri, reason }))
    const log = [...this.#tableLogs].find(([table]) => this.#files.some(({ uri }) => uri.startsWith(table)))
    return { files: this.#files.sort(byUri), leftOut: leftOut.sort(byUri), tableLog: log?.[1] }
  }
}

/** Length of the path up to the end of its first hidden name, 0 when there is none. */
export function hiddenLength(path: string): number {
  const found = /(?:^|\/)(?:\.[^/]*|_[^/=]*)(?=\/|$)/.exec(path)
  return found === null ? 0 : found.index + found[0].length
}

function hasDataExtension(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return !name.includes('.') || /\.(parquet|parq|pq)$/i.test(name)
}

function byUri(a: { uri: string }, b: { uri: string }): number {
  return a.uri < b.uri ? -1 : 1
}
