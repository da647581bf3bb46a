import { createWorkerPool, type TasteSpace } from '@seesaw/als-core'
import type { VectorFiles } from '@seesaw/loader'
import type { NamedVectorBatch, NamedVectorStream } from '@seesaw/qdrant-sink'
import type { Configuration } from '../configuration/schema.ts'
import { servedShapes, vectorNames } from '../pipeline/served-vectors.ts'

/** The vectors that an index serves, made of Spark's as they pass: the same names and spaces as `npm run train` publishes. */
export function servedStreams(
  configuration: Pick<Configuration, 'qdrant' | 'training' | 'threads'>,
  space: TasteSpace,
  files: { readonly items: VectorFiles; readonly users?: VectorFiles },
): { items: NamedVectorStream; users?: NamedVectorStream } {
  const { qdrant, training } = configuration
  const shapes = servedShapes({ qdrant, training })
  const streamOf = (side: 'items' | 'users', { points, fingerprint, batches }: VectorFiles): NamedVectorStream => {
    const { named } = shapes[side]!
    return {
      points,
      fingerprint: `${fingerprint} ${JSON.stringify(named)}`,
      named,
      async *batches(start): AsyncGenerator<NamedVectorBatch> {
        const pool = createWorkerPool({ threads: configuration.threads })
        // Used again for each batch: V8 lets go of shared memory late.
        let buffer = new Float32Array(new SharedArrayBuffer(0))
        try {
          for await (const { ids, data } of batches(start)) {
            const vectors: Record<string, Float32Array> = { [vectorNames.similar]: data }
            if (vectorNames.taste in named) {
              if (buffer.length < data.length) buffer = new Float32Array(new SharedArrayBuffer(data.byteLength))
              const into = buffer.subarray(0, data.length)
              const inTasteSpace = side === 'items' ? space.itemVectors : space.userVectors
              vectors[vectorNames.taste] = await inTasteSpace(data, { pool, into })
            }
            yield { ids, named: Object.fromEntries(Object.keys(named).map((name) => [name, vectors[name]!])) }
          }
        } finally {
          await pool.close()
        }
      },
    }
  }
  return {
    items: streamOf('items', files.items),
    ...(files.users && shapes.users && { users: streamOf('users', files.users) }),
  }
}
