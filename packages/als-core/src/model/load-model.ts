import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type RecordBatch, RecordBatchReader } from 'apache-arrow'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import type { FeatureNames } from '../features/feature-matrix.ts'
import { FeatureVocabulary } from '../features/feature-vocabulary.ts'
import type { IdColumn } from '../matrix/interaction-matrix.ts'
import { sharedFloat32, sharedUint32 } from '../pool/shared-arrays.ts'
import type { AlsModel, FeatureVectors } from './als-model.ts'
import { copyNumbers, copyVectors, IdReader } from './arrow-columns.ts'
import { IdTable, slotsFor } from './id-table.ts'
import { readInteractions } from './interactions-file.ts'
import {
  checkManifest,
  type FeaturesFile,
  type InteractionsFile,
  MANIFEST,
  type Manifest,
  type ModelFile,
  ModelFormatError,
} from './manifest.ts'
import { readInto } from './replace-files.ts'

export interface LoadModelOptions {
  /** Whether what users have is read too, where it was saved with the model. Default: true. */
  interactions?: boolean
}

/**
 * Reads a model that `saveModel` wrote. Factors, ids and interactions go straight to shared memory, a record batch at a
 * time, between which the event loop turns.
 *
 * @throws ModelFormatError when the directory holds no model, a truncated or foreign one, or one of a later version.
 */
export async function loadModel(directory: string, options: LoadModelOptions = {}): Promise<AlsModel> {
  refuseUnknownNames('loadModel', options, { interactions: true })
  const { interactions = true } = options
  for (let text = await readManifest(directory); ; ) {
    try {
      return await readModel(directory, text, interactions)
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

async function readModel(directory: string, text: string, withInteractions: boolean): Promise<AlsModel> {
  const path = join(directory, MANIFEST)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new ModelFormatError(`${path} is not JSON (${(error as Error).message}). Save the model again.`)
  }
  const manifest = checkManifest(parsed, path)
  const { factors, popularityWeights, options, userRegularization, history } = manifest
  const [users, items, userFeatures, itemFeatures, interactions] = await Promise.all([
    readSide(directory, manifest.users, factors),
    readSide(directory, manifest.items, factors),
    manifest.userFeatures && readFeatures(directory, manifest.userFeatures, factors),
    manifest.itemFeatures && readFeatures(directory, manifest.itemFeatures, factors),
    withInteractions && manifest.interactions && readEntries(directory, manifest, manifest.interactions),
  ])
  return {
    factors,
    users: manifest.users.rows,
    items: manifest.items.rows,
    userFactors: users.values,
    itemFactors: items.values,
    ...(users.ids && { userIds: users.ids }),
    ...(items.ids && { itemIds: items.ids }),
    ...(userFeatures && { userFeatures }),
    ...(itemFeatures && { itemFeatures }),
    ...(items.counts && { interactionCounts: items.counts }),
    ...(items.weights && { itemWeights: items.weights, popularityWeights }),
    options: { ...options, popularityExponent: options.popularityExponent ?? 0 },
    ...(userRegularization !== undefined && { userRegularization }),
    history,
    ...(interactions && { interactions }),
  }
}

async function readEntries(directory: string, { users, items }: Manifest, file: InteractionsFile) {
  return readInteractions(await findFile(directory, file), file, users.rows, items.rows)
}

async function readFeatures(directory: string, file: FeaturesFile, factors: number): Promise<FeatureVectors> {
  const { values: vectors, ids: names, counts } = await readSide(directory, file, factors)
  const { regularization, made } = file
  if (!names) throw new ModelFormatError(`${join(directory, file.name)} has no names. Save the model again.`)
  if (!made || !counts) return { names: names as FeatureNames, vectors, regularization }
  const vocabulary = new FeatureVocabulary({
    ...made,
    names: Array.from({ length: names.length }, (_, f) => String(names.at(f))),
    counts,
  })
  return { names: vocabulary.names, vectors, vocabulary, regularization }
}

interface SideData {
  values: Float32Array<SharedArrayBuffer>
  ids?: IdColumn
  counts?: Uint32Array
  weights?: Float32Array<SharedArrayBuffer>
}

async function readSide(directory: string, side: ModelFile, factors: number): Promise<SideData> {
  const path = await findFile(directory, side)
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
  const column = ids.finish()
  if (column && side.index) await restoreTable(directory, side.index, column)
  return { values, ids: column, counts, weights }

  function readBatch(batch: RecordBatch, first: number): number {
    if (first + batch.numRows > side.rows) {
      throw new ModelFormatError(`${path} has more than the ${side.rows} rows that the manifest says.`)
    }
    const column = (name: string) => ({ name, path, vector: batch.getChild(name) })
    const optional = (name: string) => (batch.getChild(name) ? column(name) : undefined)
    copyVectors(column('vector'), factors, values, first)
    const part = values.subarray(first * factors, (first + batch.numRows) * factors)
    const wrong = findNotFinite(part)
    if (wrong >= 0) {
      throw new ModelFormatError(
        `${path}: the vector of row ${first + Math.floor(wrong / factors)} holds ${part[wrong]}, expected finite numbers. Save the model again.`,
      )
    }
    const count = optional('interaction_count') ?? optional('item_count')
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

/** The first value that is not finite, -1 when all are: eight million of them, a record batch, in 10 ms. */
function findNotFinite(values: Float32Array): number {
  let sum = 0
  for (let n = 0; n < values.length; n++) sum += 0 * values[n]
  return sum === 0 ? -1 : values.findIndex((value) => !Number.isFinite(value))
}

/** Reads the table of the ids that was saved with them. */
async function restoreTable(directory: string, file: { name: string; bytes: number }, ids: IdColumn): Promise<void> {
  const slots = sharedUint32(slotsFor(ids.length))
  const path = await findFile(directory, file)
  const headerBytes = file.bytes - slots.byteLength
  if (!(headerBytes > 0)) {
    throw new ModelFormatError(
      `${path} has ${file.bytes} bytes, expected more than ${slots.byteLength} for ${ids.length} ids. Save the model again.`,
    )
  }
  await readInto(path, [new Uint8Array(headerBytes), slots])
  IdTable.restore(ids, slots)
}

/** The path of a file of a model. @throws ModelFormatError when it is not there, or not as long as it should be */
async function findFile(directory: string, { name, bytes }: { name: string; bytes: number }): Promise<string> {
  const path = join(directory, name)
  const size = await stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
  if (size === bytes) return path
  throw new ModelFormatError(
    size === undefined
      ? `${path} is missing; the manifest names it. Restore it, or save the model again.`
      : `${path} has ${size} bytes, the manifest says ${bytes}: it is truncated or from a different model. Save the model again.`,
  )
}
