/** A real S3 server in a process of its own, with the generated files in it. */
import { type ChildProcess, fork } from 'node:child_process'
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { ParquetFiles } from '../generate-parquet.ts'

export interface RawDownload {
  readonly bytes: number
  readonly seconds: number
  readonly mbPerSecond: number
}

export interface S3Server {
  readonly files: ParquetFiles
  readonly connection: { endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } }
  /** Downloads every object in ranges of 8 MB, 6 at a time, and drops the bytes. */
  download(): Promise<RawDownload>
  close(): Promise<void>
}

const SOURCES = ['haves', 'wants', 'ratings'] as const
const PART_BYTES = 8 << 20

export async function serveFromS3(files: ParquetFiles): Promise<S3Server> {
  const server = fork(fileURLToPath(new URL('./s3-server.ts', import.meta.url)))
  const endpoint = await new Promise<string>((resolve) => server.once('message', (address) => resolve(String(address))))
  const credentials = { accessKeyId: 'benchmark', secretAccessKey: 'benchmark' }
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: 'bench' }))
  const objects: { key: string; size: number }[] = []
  for (const source of SOURCES) {
    for (const name of readdirSync(files[source])) {
      const path = `${files[source]}/${name}`
      const { size } = statSync(path)
      const key = `${source}/${name}`
      const body = createReadStream(path)
      await client.send(new PutObjectCommand({ Bucket: 'bench', Key: key, Body: body, ContentLength: size }))
      objects.push({ key, size })
    }
  }
  return {
    files: { rows: files.rows, haves: 's3://bench/haves/', wants: 's3://bench/wants/', ratings: 's3://bench/ratings/' },
    connection: { endpoint, credentials },
    download: () => download(client, objects),
    async close() {
      client.destroy()
      await stop(server)
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
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bench', Key: part.key, Range: part.range }))
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
