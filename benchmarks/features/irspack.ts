/** irspack's feature-aware iALS on the same matrices, as files. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FeatureMatrix, InteractionMatrix } from '@seesaw/als-core'
import { writeCsr } from '../cached-interactions.ts'
import { runPeer } from '../peers/python.ts'

export interface IrspackOptions {
  factors: number
  iterations: number
  unobservedWeight: number
  regularization: number
  regularizationScaling: { readonly nu: number }
  featureRegularization: number
  seed: number
  threads: number
}

export interface IrspackModel {
  userFactors: Float32Array<SharedArrayBuffer>
  itemFactors: Float32Array<SharedArrayBuffer>
  /** What the features predict for each item. */
  predicted: Float32Array<SharedArrayBuffer>
  /** Processor seconds of each iteration, all threads. */
  cpuSeconds: number[]
  version: string
}

export async function trainIrspack(
  matrix: InteractionMatrix,
  features: FeatureMatrix,
  options: IrspackOptions,
): Promise<IrspackModel> {
  const folder = mkdtempSync(join(tmpdir(), 'seesaw-irspack-'))
  try {
    const { csr, codebook, users, items } = matrix
    writeCsr(join(folder, 'interactions'), { users, items }, csr, codebook)
    writeCsr(join(folder, 'features'), { users: features.rows, items: features.features }, features)
    const { regularizationScaling, ...rest } = options
    const args = [folder, JSON.stringify({ ...rest, nu: regularizationScaling.nu })]
    const told = await runPeer<{ cpuSeconds: number[]; version: string }>('irspack_features.py', args, options.threads)
    const [userFactors, itemFactors, predicted] = ['user', 'item', 'predicted'].map((name) => {
      const bytes = readFileSync(join(folder, `${name}.f32`))
      const factors = new Float32Array(new SharedArrayBuffer(bytes.length))
      new Uint8Array(factors.buffer).set(bytes)
      return factors
    })
    return { userFactors, itemFactors, predicted, ...told }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
