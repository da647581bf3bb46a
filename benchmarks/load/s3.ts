/** An S3 server with the generated files in it: one in a process of its own, or any whose address is given. */
import { type ChildProcess, fork } from 'node:child_process'
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, GetObjectCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { ParquetFiles } from '../generate-parquet.ts'

export interface RawDownload {
  readonly bytes: number
  readonly seconds: number
  readonly mbPerSecond: number
}

export interface S3Connection {
  endpoint: string
  credentials: { accessKeyId: string; secretAccessKey: string }
}

export interface S3Server {
  readonly files: ParquetFiles
  readonly connection: S3Connection
  /** Downloads every object in ranges of 8 MB, 6 at a time, and drops the bytes. */
  download(): Promise<RawDownload>
  close(): Promise<void>
}

const SOURCES = ['haves', 'wants', 'ratings'] as const
const BUCKET = 'seesaw-bench'
const PART_BYTES = 8 << 20

/**
 * Uploads the files to `endpoint`, with the usual AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or to an in-memory server
 * of this process's own.
 */
export async function serveFromS3(files: ParquetFiles, endpoint?: string): Promise<S3Server> {
  const server = endpoint === undefined ? fork(fileURLToPath(new URL('./s3-server.ts', import.meta.url))) : undefined
  const connection: S3Connection = {
    endpoint:
      endpoint ?? (await new Promise<string>((resolve) => server!.once('message', (url) => resolve(String(url))))),
    credentials: {
      accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? 'benchmark',
      secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? 'benchmark',
    },
  }
  const client = new S3Client({ ...connection, region: 'us-east-1', forcePathStyle: true })
  await client
    .send(new HeadBucketCommand({ Bucket: BUCKET }))
    .catch(() => client.send(new CreateBucketCommand({ Bucket: BUCKET })))
  const folder = `${files.rows}`
  const objects: { key: string; size: number }[] = []
  for (const source of SOURCES) {
    for (const name of readdirSync(files[source])) {
      const path = `${files[source]}/${name}`
      const key = `${folder}/${source}/${name}`
      const params = { Bucket: BUCKET, Key: key, Body: createReadStream(path) }
      await new Upload({ client, params, partSize: PART_BYTES }).done()
      objects.push({ key, size: statSync(path).size })
    }
  }
  return {
    files: {
      rows: files.rows,
      haves: `s3://${BUCKET}/${folder}/haves/`,
      wants: `s3://${BUCKET}/${folder}/wants/`,
      ratings: `s3://${BUCKET}/${folder}/ratings/`,
    },
    connection,
    download: () => download(client, objects),
    async close() {
      client.destroy()
      if (server) await stop(server)
    },
  }
}

async function download(client: S3Client, objects: readonly { key: string; size: number }[]): Promise<RawDownload> {
  const parts = objects.flatMap(({ key, size }) =>
    Array.from({ length: Math.ceil(size / PART_BYTES) }, (_, part) => ({
      key,
      range: `bytes=${part * PART_BYTES}-${Math.min(size, (part + 1) * PART_BYTES) - 1}`,
    })),
  )
  const begun = performance.now()
  let bytes = 0
  let next = 0
  const reader = async () => {
    for (let part = parts[next++]; part !== undefined; part = parts[next++]) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: part.key, Range: part.range }))
      for await (const chunk of Body as AsyncIterable<Uint8Array>) bytes += chunk.length
    }
  }
  await Promise.all(Array.from({ length: 6 }, reader))
  const seconds = (performance.now() - begun) / 1000
  return { bytes, seconds, mbPerSecond: bytes / 1e6 / seconds }
}

async function stop(server: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill()
  await ended
}
