import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { parquetWriteBuffer } from 'hyparquet-writer'

/** Pairs of a user and an item. */
export interface Pairs {
  readonly users: Uint32Array
  readonly items: Uint32Array
}

const folder = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'amazon-cds')

/** CDs and vinyl, the split of BGCF and UltraGCN: 604,475 pairs to train on, 172,951 to find again. */
export const amazonCds = {
  present: existsSync(folder),
  train: (): Promise<Pairs> => readPairs('train.tsv.gz'),
  test: (): Promise<Pairs> => readPairs('test.tsv.gz'),
}

/** Puts pairs as haves Parquet into `files` objects under `s3://bucket/haves/`. */
export async function uploadHaves(endpoint: string, bucket: string, pairs: Pairs, files: number): Promise<void> {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const rows = Math.ceil(pairs.users.length / files)
  for (let file = 0; file < files; file++) {
    const part = (column: Uint32Array) => Int32Array.from(column.subarray(file * rows, (file + 1) * rows))
    const columnData = [
      { name: 'user_id', data: part(pairs.users), type: 'INT32' as const, nullable: false },
      { name: 'release_id', data: part(pairs.items), type: 'INT32' as const, nullable: false },
    ]
    const body = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 50_000 }))
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `haves/part-${file}.parquet`, Body: body }))
  }
  client.destroy()
}

async function readPairs(name: string): Promise<Pairs> {
  const users: number[] = []
  const items: number[] = []
  const lines = createInterface({ input: createReadStream(join(folder, name)).pipe(createGunzip()) })
  for await (const line of lines) {
    const [user, item] = line.split('\t', 2)
    users.push(Number(user))
    items.push(Number(item))
  }
  return { users: Uint32Array.from(users), items: Uint32Array.from(items) }
}
