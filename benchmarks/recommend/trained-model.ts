/** A model trained on a generated matrix, kept in benchmarks/.cache: saved, and its factors alone (users first) for the peer. */
import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { type InteractionMatrix, saveModel, train } from '@seesaw/als-core'

export interface TrainedModel {
  /** What `loadModel` reads. */
  readonly directory: string
  /** All factors as float32. */
  readonly factorFile: string
}

export async function trainedModel(prefix: string, matrix: InteractionMatrix, factors: number): Promise<TrainedModel> {
  const directory = `${prefix}.${factors}.model`
  const factorFile = `${directory}/factors.f32`
  if (!existsSync(factorFile)) {
    console.error(`Training a model of ${factors} factors (first use) ...`)
    const model = await train(matrix, { factors, seed: 1 })
    await saveModel(model, directory)
    const descriptor = openSync(factorFile, 'w')
    for (const side of [model.userFactors, model.itemFactors]) writeAll(descriptor, new Uint8Array(side.buffer))
    closeSync(descriptor)
  }
  return { directory, factorFile }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, Math.min(bytes.length - at, 1 << 28))
}
