import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { writeCatalogue } from '../../examples/catalogue/write-catalogue.ts'

/** Keys that any S3 server of a test takes. */
export const keys = { AWS_ACCESS_KEY_ID: 'chaos', AWS_SECRET_ACCESS_KEY: 'chaos', AWS_REGION: 'us-east-1' }

/** Puts a small invented record shop into `s3://shop/`. */
export async function uploadShop(endpoint: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'seesaw-chaos-shop-'))
  const credentials = { accessKeyId: keys.AWS_ACCESS_KEY_ID, secretAccessKey: keys.AWS_SECRET_ACCESS_KEY }
  const client = new S3Client({ endpoint, region: keys.AWS_REGION, forcePathStyle: true, credentials })
  try {
    await writeCatalogue({ directory: folder, users: 600, releases: 400, seed: 1 })
    await client.send(new CreateBucketCommand({ Bucket: 'shop' }))
    for (const source of ['haves', 'wants', 'releases']) {
      for (const name of await readdir(join(folder, source))) {
        const Body = readFileSync(join(folder, source, name))
        await client.send(new PutObjectCommand({ Bucket: 'shop', Key: `${source}/${name}`, Body }))
      }
    }
  } finally {
    client.destroy()
    await rm(folder, { recursive: true })
  }
}
