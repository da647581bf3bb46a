import { resolve } from 'node:path'

/**
 * A place as Hadoop names it: `s3://` is S3A's, a bare path is a file of this machine whatever the cluster's default file
 * system. `listed` files are taken by their very names, so what Hadoop reads as a pattern in them is escaped.
 */
export function hadoopPath(place: string, listed = false): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(place)?.[1].toLowerCase()
  const path =
    scheme === undefined ? `file://${resolve(place)}` : scheme === 's3' ? place.replace(/^s3:/i, 's3a:') : place
  const plain = path.replace(/\/+$/, '')
  return listed || scheme === undefined ? plain.replace(/[{}[\]*?\\]/g, '\\$&') : plain
}

/** The same place as the loader names it. */
export function loaderPath(path: string): string {
  return path.replace(/^s3a:\/\//, 's3://').replace(/^file:\/\/(?=\/)/, '')
}
