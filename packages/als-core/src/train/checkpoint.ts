import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { supportsRelaxedSimd } from '../kernel/instantiate.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { IterationReport } from '../model/als-model.ts'
import type { ModelOptions } from '../model/options.ts'
import { readInto, replaceFiles, writeFlushed } from '../model/replace-files.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import type { FeatureMap, FeatureMapStart } from '../solve/feature-map.ts'
import { padFactors } from '../solve/layout.ts'
import type { Factors } from '../solve/sides.ts'
import type { CheckpointOptions } from './options.ts'

/** A checkpoint that cannot be resumed by this training; the message says what differs. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError'
}

/** What a training needs to resume, to the bit. */
export interface TrainingState {
  readonly users: Factors
  readonly items: Factors
  /** The items as of the iteration before, for their momentum. */
  readonly before?: Factors
  readonly history: readonly IterationReport[]
}

/** The state to save, with the feature maps of the sides that have features. */
export interface RunningState extends TrainingState {
  readonly maps?: { readonly users?: FeatureMap; readonly items?: FeatureMap }
}

/** The state to go on from. G·B is a sum of the steps so far: made of B again it would have other last bits. */
export interface SavedState extends TrainingState {
  readonly maps: { readonly users?: FeatureMapStart; readonly items?: FeatureMapStart }
}

/** What determines the bits of the factors, apart from the number of iterations. */
export interface Fingerprint {
  /** SHA-256 of shape, offsets, columns and values. */
  readonly matrix: string
  /** The same of the features, where there are any. */
  readonly features?: string
  readonly options: Omit<ModelOptions, 'iterations'>
}

const MANIFEST = 'checkpoint.json'
const FORMAT = 'seesaw-als-checkpoint'
const VERSION = 3
/** Those of the state before, too, which the new one may not have. */
const CHECKPOINT_FILES = ['users.bin', 'items.bin', 'before.bin', 'userMap.bin', 'itemMap.bin']

interface SavedFile {
  readonly name: string
  readonly bytes: number
}

interface SideFile extends SavedFile {
  /** Whether the k×k float64 matrix P follows the float32 values. */
  readonly transformed: boolean
}

interface MapFile extends SavedFile {
  /** Number of features; the file has B and D of those with evidence, G·B and G·D. */
  readonly features: number
  readonly squaredNorm: number
}

interface Manifest extends Fingerprint {
  readonly format: typeof FORMAT
  readonly version: number
  readonly users: SideFile
  readonly items: SideFile
  readonly before?: SideFile
  readonly userMap?: MapFile
  readonly itemMap?: MapFile
  readonly history: readonly IterationReport[]
}

/** Hashes a matrix, 1.6 GB per second, and names the kernel that will run. */
export async function takeFingerprint(
  matrix: InteractionMatrix,
  options: ModelOptions,
  features?: string,
): Promise<Fingerprint> {
  const { users, items, entries, csr, codebook } = matrix
  const hash = createHash('sha256').update(JSON.stringify([users, items, entries, codebook?.length ?? 0]))
  for (const array of [csr.indptr, csr.indices, csr.values, ...(codebook ? [codebook] : [])]) {
    const step = 2 ** 28 / array.BYTES_PER_ELEMENT
    for (let at = 0; at < array.length; at += step) {
      hash.update(array.subarray(at, at + step))
      // Lets signals and timers through.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const { iterations: _, ...deciding } = options
  const kernel = options.kernel ?? (supportsRelaxedSimd() ? 'relaxed' : 'simd')
  return { matrix: hash.digest('hex'), ...(features && { features }), options: { ...deciding, kernel } }
}

/** Writes the state, replacing the previous checkpoint in one step. */
export async function writeCheckpoint(
  directory: string,
  fingerprint: Fingerprint,
  { users, items, before, maps, history }: RunningState,
): Promise<void> {
  const padded = padFactors(fingerprint.options.factors)
  await replaceFiles(directory, MANIFEST, CHECKPOINT_FILES, async (name): Promise<Manifest> => {
    const write = async (side: string, { values, toFactors }: Factors): Promise<SideFile> => {
      const file = name(`${side}.bin`)
      const bytes = await writeFlushed(join(directory, file), toFactors ? [values, toFactors] : [values])
      return { name: file, bytes, transformed: toFactors !== undefined }
    }
    const writeMap = async (side: string, map: FeatureMap): Promise<MapFile> => {
      const file = name(`${side}.bin`)
      const { vectors, step, predicted, predictedStep, squaredNorm } = map
      const arrays = [vectors.subarray(0, step.length), step, predicted, predictedStep]
      const bytes = await writeFlushed(join(directory, file), arrays)
      return { name: file, bytes, features: vectors.length / padded, squaredNorm }
    }
    const files = {
      users: await write('users', users),
      items: await write('items', items),
      ...(before && { before: await write('before', before) }),
      ...(maps?.users && { userMap: await writeMap('userMap', maps.users) }),
      ...(maps?.items && { itemMap: await writeMap('itemMap', maps.items) }),
    }
    return { format: FORMAT, version: VERSION, ...fingerprint, ...files, history }
  })
}

/**
 * Reads the checkpoint of a directory, if it has one to resume from.
 *
 * @throws CheckpointError when it is of a later version or its files are incomplete, and when it is from a different
 * matrix or different options, unless `onMismatch` is 'restart'.
 */
export async function readCheckpoint(
  { directory, onMismatch = 'error' }: CheckpointOptions,
  fingerprint: Fingerprint,
  { users, items }: InteractionMatrix,
): Promise<SavedState | undefined> {
  const path = join(directory, MANIFEST)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const manifest = readManifest(text, path)
  const differences = compare(manifest, fingerprint)
  if (differences.length > 0) {
    if (onMismatch === 'restart') return undefined
    throw new CheckpointError(
      `The checkpoint in ${path} is from a different training: ${differences.join('; ')}. Resume it with the matrix and options it was made with, set checkpoint.onMismatch to 'restart' to overwrite it, or choose another directory.`,
    )
  }
  const k = fingerprint.options.factors
  const padded = padFactors(k)
  const readArrays = async (saved: SavedFile, arrays: (Float32Array | Float64Array)[]): Promise<void> => {
    const file = join(directory, saved.name)
    const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const size = await stat(file).then(
      ({ size }) => size,
      () => 0,
    )
    if (size !== bytes || size !== saved.bytes) {
      throw new CheckpointError(
        `${file} has ${size} bytes, expected ${bytes}: it is missing or truncated. Delete ${directory} to start over.`,
      )
    }
    await readInto(file, arrays)
  }
  const read = async (side: SideFile, rows: number): Promise<Factors> => {
    const values = sharedFloat32(rows * padded)
    const toFactors = side.transformed ? new Float64Array(k * k) : undefined
    await readArrays(side, toFactors ? [values, toFactors] : [values])
    return { values, ...(toFactors && { toFactors }) }
  }
  const readMap = async (file: MapFile, rows: number): Promise<FeatureMapStart> => {
    const vectors = sharedFloat32(file.features * padded)
    const step = sharedFloat32(file.bytes / 8 - rows * padded)
    const [predicted, predictedStep] = [sharedFloat32(rows * padded), sharedFloat32(rows * padded)]
    await readArrays(file, [vectors.subarray(0, step.length), step, predicted, predictedStep])
    return { vectors, resumed: { step, predicted, predictedStep, squaredNorm: file.squaredNorm } }
  }
  return {
    users: await read(manifest.users, users),
    items: await read(manifest.items, items),
    ...(manifest.before && { before: await read(manifest.before, items) }),
    maps: {
      ...(manifest.userMap && { users: await readMap(manifest.userMap, users) }),
      ...(manifest.itemMap && { items: await readMap(manifest.itemMap, items) }),
    },
    history: manifest.history,
  }
}

function readManifest(text: string, path: string): Manifest {
  let manifest: Manifest
  try {
    manifest = JSON.parse(text)
  } catch (error) {
    throw new CheckpointError(`${path} is not JSON (${(error as Error).message}). Delete it to start over.`)
  }
  if (manifest?.format !== FORMAT) {
    throw new CheckpointError(
      `${path} is not a checkpoint: "format" is ${JSON.stringify(manifest?.format)}, expected "${FORMAT}". Choose another directory.`,
    )
  }
  if (manifest.version !== VERSION) {
    throw new CheckpointError(
      `${path} has version ${manifest.version}, and this release reads version ${VERSION}. Resume it with the release that wrote it, or delete it to start over.`,
    )
  }
  return manifest
}

/** How a checkpoint differs from this training, in words. */
function compare(manifest: Manifest, expected: Fingerprint): string[] {
  const differences: string[] = []
  const [before, after] = [manifest.options, expected.options] as unknown as Record<string, unknown>[]
  // What the options of one training lack is their default.
  for (const name of Object.keys({ ...after, ...before })) {
    const [then, here] = [before?.[name], after[name]].map((value) => JSON.stringify(value))
    if (then !== here) differences.push(`${name} was ${then}, is now ${here}`)
  }
  if (manifest.features !== expected.features) {
    const say = (features?: string) => (features ? 'some' : 'none')
    const both = manifest.features && expected.features
    differences.unshift(
      both
        ? 'its features are different'
        : `features were ${say(manifest.features)}, are now ${say(expected.features)}`,
    )
  }
  if (manifest.matrix !== expected.matrix) differences.unshift('its matrix has different entries')
  return differences
}
