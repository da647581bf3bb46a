/** A model trained on a generated matrix, kept in benchmarks/.cache: NAME.factors.f32, users first. */
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs'
import { type AlsModel, type InteractionMatrix, train } from '@seesaw/als-core'
import { readArray } from '../cached-interactions.ts'

export async function trainedModel(
  prefix: string,
  matrix: InteractionMatrix,
  factors: number,
): Promise<{ model: AlsModel; file: string }> {
  const file = `${prefix}.${factors}.factors.f32`
  const { users, items } = matrix
  if (!existsSync(file)) {
    console.error(`Training a model of ${factors} factors (first use) ...`)
    const { userFactors, itemFactors } = await train(matrix, { factors, seed: 1 })
    const descriptor = openSync(`${file}.partial`, 'w')
    for (const side of [userFactors, itemFactors]) writeAll(descriptor, new Uint8Array(side.buffer))
    closeSync(descriptor)
    renameSync(`${file}.partial`, file)
  }
  const both = readArray(file, Float32Array<SharedArrayBuffer>, 4 * factors * (users + items))
  const userFactors = both.slice(0, users * factors)
  const itemFactors = both.slice(users * factors)
  return {
    model: { factors, users, items, userFactors: shared(userFactors), itemFactors: shared(itemFactors) } as AlsModel,
    file,
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, Math.min(bytes.length - at, 1 << 28))
}

function shared(values: Float32Array): Float32Array<SharedArrayBuffer> {
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength))
  copy.set(values)
  return copy
}
