import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type RecordBatch, RecordBatchReader } from 'apache-arrow'
import type { IdColumn } from '../matrix/interaction-matrix.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import type { AlsModel } from './als-model.ts'
import { copyNumbers, copyVectors, IdReader } from './arrow-columns.ts'
import { checkManifest, MANIFEST, type ModelFile, ModelFormatError } from './manifest.ts'

/**
 * Reads a model that `saveModel` wrote. The factors go straight to SharedArrayBuffers, a record batch at a time.
 *
 * @throws ModelFormatError when the directory holds no model, a truncated or foreign one, or one of a later version.
 */
export async function loadModel(directory: string): Promise<AlsModel> {
  for (let text = await readManifest(directory); ; ) {
    try {
      return await readModel(directory, text)
    } catch (error) {
      // A model that was saved meanwhile has taken its place.
      const now = await readManifest(directory)
      if (now === text) throw error
      text = now
    }
  }
}

async function readManifest(directory: string): Promise<string> {
  try {
    return await readFile(join(directory, MANIFEST), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new ModelFormatError(
      `${directory} has no ${MANIFEST}: it does not hold a model, or its saving did not finish.`,
    )
  }
}

async function readModel(directory: string, text: string): Promise<AlsModel> {
  const path = join(directory, MANIFEST)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new ModelFormatError(`${path} is not JSON (${(error as Error).message}). Save the model again.`)
  }
  const manifest = checkManifest(parsed, path)
  const { factors, popularityWeights, options, userRegularization, history } = manifest
  const [users, items] = await Promise.all([
    readSide(directory, manifest.users, factors),
    readSide(directory, manifest.items, factors),
  ])
  return {
    factors,
    users: manifest.users.rows,
    items: manifest.items.rows,
    userFactors: users.values,
    itemFactors: items.values,
    ...(users.ids && { userIds: users.ids }),
    ...(items.ids && { itemIds: items.ids }),
    ...(items.counts && { interactionCounts: items.counts }),
    ...(items.weights && { itemWeights: items.weights, popularityWeights }),
    options: { ...options, popularityExponent: options.popularityExponent ?? 0 },
    ...(userRegularization !== undefined && { userRegularization }),
    history,
  }
}

interface SideData {
  values: Float32Array<SharedArrayBuffer>
  ids?: IdColumn
  counts?: Uint32Array
  weights?: Float32Array<SharedArrayBuffer>
}

async function readSide(directory: string, side: ModelFile, factors: number): Promise<SideData> {
  const path = join(directory, side.name)
  const size = await stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
  if (size !== side.bytes) {
    throw new ModelFormatError(
      size === undefined
        ? `${path} is missing; the manifest names it. Restore it, or save the model again.`
        : `${path} has ${size} bytes, the manifest says ${side.bytes}: it is truncated or from a different model. Save the model again.`,
    )
  }
  const values = sharedFloat32(side.rows * factors)
  let counts: Uint32Array | undefined
  let weights: Float32Array<SharedArrayBuffer> | undefined
  const ids = new IdReader(side.rows)
  let row = 0
  const file = await open(path)
  try {
    const reader = await RecordBatchReader.from(file)
    for await (const batch of reader) {
      row += readBatch(batch as RecordBatch, row)
    }
  } catch (error) {
    if (error instanceof ModelFormatError) throw error
    throw new ModelFormatError(
      `${path} cannot be read as an Arrow file (${(error as Error).message}). Save the model again.`,
    )
  } finally {
    await file.close()
  }
  if (row !== side.rows) {
    throw new ModelFormatError(`${path} has ${row} rows, the manifest says ${side.rows}. Save the model again.`)
  }
  return { values, ids: ids.column, counts, weights }

  function readBatch(batch: RecordBatch, first: number): number {
    if (first + batch.numRows > side.rows) {
      throw new ModelFormatError(`${path} has more than the ${side.rows} rows that the manifest says.`)
    }
    const column = (name: string) => ({ name, path, vector: batch.getChild(name) })
    const optional = (name: string) => (batch.getChild(name) ? column(name) : undefined)
    copyVectors(column('vector'), factors, values, first)
    const part = values.subarray(first * factors, (first + batch.numRows) * factors)
    const wrong = part.findIndex((value) => !Number.isFinite(value))
    if (wrong >= 0) {
      throw new ModelFormatError(
        `${path}: the vector of row ${first + Math.floor(wrong / factors)} holds ${part[wrong]}, expected finite numbers. Save the model again.`,
      )
    }
    const count = optional('interaction_count')
    if (count) {
      counts ??= new Uint32Array(side.rows)
      copyNumbers(count, counts, first)
    }
    const weight = optional('weight')
    if (weight) {
      weights ??= sharedFloat32(side.rows)
      copyNumbers(weight, weights, first)
    }
    if (side.ids) ids.read(column('id'), first)
    return batch.numRows
  }
}
