import type { TestProject } from 'vitest/node'
import { type PreparedSpark, prepareS3a, prepareSpark } from '../scripts/prepare-spark.ts'

declare module 'vitest' {
  interface ProvidedContext {
    spark: PreparedSpark | { missing: string }
    s3a: { jars: readonly string[] } | { missing: string }
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const spark = await prepareSpark()
  if ('missing' in spark) console.warn(`Skipped: the tests with a real Spark, since ${spark.missing}.`)
  const s3a = 'missing' in spark ? spark : await prepareS3a()
  if ('missing' in s3a && !('missing' in spark)) console.warn(`Skipped: Spark with S3, since ${s3a.missing}.`)
  project.provide('spark', spark)
  project.provide('s3a', s3a)
}
