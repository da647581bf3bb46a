import type { IdColumn } from '../matrix/interaction-matrix.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import type { AlsModel } from './als-model.ts'
import { ModelFormatError } from './manifest.ts'
import type { NpyArray, NpyNumbers } from './npy.ts'
import { readNpz, writeNpz } from './npz.ts'
import { resolveModelOptions } from './options.ts'

/**
 * Reads a model that the Python library implicit saved (`AlternatingLeastSquares.save`, an .npz file). Its ids, which
 * implicit does not keep, are there only when `writeImplicitModel` wrote the file.
 *
 * @throws ModelFormatError when the file is not one, or is truncated.
 */
export async function readImplicitModel(path: string): Promise<AlsModel> {
  const arrays = await readNpz(path, 'an .npz file that implicit saved, with allow_pickle=False types')
  const users = factorsOf('user_factors')
  const items = factorsOf('item_factors')
  if (users.factors !== items.factors) {
    throw new ModelFormatError(`${path}: user_factors have ${users.factors} columns, item_factors ${items.factors}.`)
  }
  const [userIds, itemIds] = ['user_ids', 'item_ids'].map((name) => idsOf(arrays.get(name), name, path))
  return {
    factors: users.factors,
    users: users.rows,
    items: items.rows,
    userFactors: users.values,
    itemFactors: items.values,
    ...(userIds && { userIds }),
    ...(itemIds && { itemIds }),
    options: resolveModelOptions({
      factors: users.factors,
      iterations: scalar('iterations'),
      regularization: scalar('regularization'),
      alpha: scalar('alpha'),
      solver: scalar('use_cg') === 0 ? 'cholesky' : 'cg',
      maxSteps: scalar('cg_steps'),
      seed: scalar('random_state'),
    }),
    history: [],
  }

  function factorsOf(name: string): { rows: number; factors: number; values: Float32Array<SharedArrayBuffer> } {
    const array = arrays.get(name)
    if (array?.shape.length !== 2 || Array.isArray(array.values) || isWide(array.values)) {
      throw new ModelFormatError(
        `${path} has no matrix "${name}": expected a file that implicit's AlternatingLeastSquares.save wrote, on the CPU.`,
      )
    }
    const values = sharedFloat32(array.values.length)
    values.set(array.values)
    return { rows: array.shape[0], factors: array.shape[1], values }
  }

  function scalar(name: string): number | undefined {
    const value = arrays.get(name)?.values[0]
    return value === undefined ? undefined : Number(value)
  }
}

/**
 * Writes a model as implicit's `AlternatingLeastSquares.load` reads it. What implicit has no place for is lost: objective,
 * scaling of the regularisation, history. Ids are added as arrays `user_ids` and `item_ids`, which become attributes there.
 *
 * @throws RangeError when the file would be larger than 4 GiB, the end of the zip format.
 */
export async function writeImplicitModel(model: AlsModel, path: string): Promise<void> {
  const { factors, users, items, userFactors, itemFactors, userIds, itemIds, options } = model
  const float = (value: number): NpyArray => ({ descr: '<f8', shape: [], values: Float64Array.of(value) })
  const int64 = (value: number): NpyArray => ({ descr: '<i8', shape: [], values: BigInt64Array.of(BigInt(value)) })
  const bool = (value: boolean): NpyArray => ({ descr: '|b1', shape: [], values: Uint8Array.of(value ? 1 : 0) })
  const arrays: Record<string, NpyArray> = {
    user_factors: { descr: '<f4', shape: [users, factors], values: userFactors },
    item_factors: { descr: '<f4', shape: [items, factors], values: itemFactors },
    regularization: float(options.regularization),
    factors: int64(factors),
    num_threads: int64(0),
    iterations: int64(options.iterations),
    use_native: bool(true),
    use_cg: bool(options.solver === 'cg'),
    cg_steps: int64(options.maxSteps),
    calculate_training_loss: bool(false),
    dtype: { descr: '<U7', shape: [], values: ['float32'] },
    random_state: int64(options.seed),
    alpha: float(options.alpha),
    ...(userIds && { user_ids: toArray(userIds) }),
    ...(itemIds && { item_ids: toArray(itemIds) }),
  }
  await writeNpz(path, arrays)
}

function idsOf(array: NpyArray | undefined, name: string, path: string): IdColumn | undefined {
  if (!array) return undefined
  if (Array.isArray(array.values)) return array.values
  const ids = Float64Array.from<number | bigint>(array.values, Number)
  const row = ids.findIndex((id) => !Number.isSafeInteger(id))
  if (row >= 0) {
    throw new ModelFormatError(
      `${path}: "${name}" of row ${row} is ${array.values[row]}, expected strings or integers within 2^53.`,
    )
  }
  return ids
}

function toArray(ids: IdColumn): NpyArray {
  const shape = [ids.length]
  if (typeof ids.at(0) !== 'string') {
    return { descr: '<i8', shape, values: BigInt64Array.from({ length: ids.length }, (_, row) => BigInt(ids.at(row)!)) }
  }
  const values = Array.from({ length: ids.length }, (_, row) => String(ids.at(row)))
  const width = values.reduce((max, value) => Math.max(max, [...value].length), 1)
  return { descr: `<U${width}`, shape, values }
}

function isWide(values: NpyNumbers): values is BigInt64Array | BigUint64Array {
  return values instanceof BigInt64Array || values instanceof BigUint64Array
}
