/** An S3 server with generated files in it: one in a process of its own, or any whose address is given. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, GetObjectCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { cpuSeconds } from '../process-cost.ts'

export interface RawDownload {
  readonly bytes: number
  readonly seconds: number
  /** Of this process. */
  readonly cpuSeconds: number
}

export interface S3Connection {
  endpoint: string
  credentials: { accessKeyId: string; secretAccessKey: string }
}

export interface S3Server<Name extends string> {
  /** Where each folder is now. */
  readonly places: Readonly<Record<Name, string>>
  readonly connection: S3Connection
  /** Downloads every object in ranges of 8 MB, 6 at a time, and drops the bytes. */
  download(): Promise<RawDownload>
  /** Processor seconds of the server so far; 0 for one that is not ours. */
  cpuSeconds(): Promise<number>
  close(): Promise<void>
}

const BUCKET = 'seesaw-bench'
const PART_BYTES = 8 << 20

/**
 * Uploads folders of files under a prefix to `endpoint`, with the usual AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or to
 * an in-memory server of this process's own.
 */
export async function serveFromS3<Name extends string>(
  prefix: string,
  folders: Readonly<Record<Name, string>>,
  endpoint?: string,
): Promise<S3Server<Name>> {
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
  const objects: { key: string; size: number }[] = []
  const places: Record<string, string> = {}
  for (const [name, folder] of Object.entries<string>(folders)) {
    places[name] = `s3://${BUCKET}/${prefix}/${name}/`
    for (const file of readdirSync(folder)) {
      const path = `${folder}/${file}`
      const key = `${prefix}/${name}/${file}`
      const params = { Bucket: BUCKET, Key: key, Body: createReadStream(path) }
      await new Upload({ client, params, partSize: PART_BYTES }).done()
      objects.push({ key, size: statSync(path).size })
    }
  }
  return {
    places: places as Record<Name, string>,
    connection,
    download: () => download(client, objects),
    async cpuSeconds() {
      if (server === undefined) return 0
      server.send('cost')
      return Number((await once(server, 'message'))[0])
    },
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
  const before = cpuSeconds()
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
  return { bytes, seconds, cpuSeconds: cpuSeconds() - before }
}

async function stop(server: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill()
  await ended
}
