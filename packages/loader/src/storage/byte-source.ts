/** A file as storage lists it. `version` changes whenever its bytes do: the ETag in S3, time and inode on disk. */
export interface StoredFile {
  readonly uri: string
  readonly byteLength: number
  readonly version: string
}

/** Random access to the bytes of one file: all that reading Parquet needs. */
export interface ByteSource {
  readonly byteLength: number
  /** Fills `bytes` with those from `start` on. Rejects with a LoadError that names the file. */
  read(start: number, bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** What reading costs besides time; the reader counts into it. */
export interface ReadCounters {
  requests: number
  retries: number
}
