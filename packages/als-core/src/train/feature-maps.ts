import { createHash } from 'node:crypto'
import { OptionError } from '../checks/option-error.ts'
import { checkFeatures } from '../features/feature-matrix.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { FeatureVectors, PhaseSeconds } from '../model/als-model.ts'
import type { ModelOptions } from '../model/options.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import {
  type FeatureMap,
  type FeatureMapRoom,
  type FeatureMapStart,
  makeFeatureMap,
  toAllFeatures,
} from '../solve/feature-map.ts'
import { fitFeatures, predictRows } from '../solve/fit-features.ts'
import { padFactors } from '../solve/layout.ts'
import type { Side } from '../solve/sides.ts'
import type { Workbench } from '../solve/workbench.ts'
import type { TrainOptions } from './options.ts'

const SIDES = ['users', 'items'] as const
/** Names of the options, and of the model's fields. */
export const FIELDS = { users: 'userFeatures', items: 'itemFeatures' } as const

/** Something of each side that has features. */
export type BySide<T> = { readonly [side in 'users' | 'items']?: T }

/** Checks the features before anything is made of them. @throws MatrixError naming option, row and feature; OptionError. */
export function checkFeatureOptions(options: TrainOptions, matrix: InteractionMatrix): void {
  for (const side of SIDES) {
    const features = options[FIELDS[side]]
    if (features) checkFeatures(FIELDS[side], features, matrix[side], side)
  }
  if (options.featureRegularization !== undefined && !options.itemFeatures && !options.userFeatures) {
    throw new OptionError(
      `featureRegularization is ${options.featureRegularization}, but there are no features: pass itemFeatures or userFeatures, or leave it out.`,
    )
  }
}

/** Length of the longer list of features. */
export function mostFeatures({ userFeatures, itemFeatures }: TrainOptions): number {
  return Math.max(userFeatures?.features ?? 0, itemFeatures?.features ?? 0)
}

/** SHA-256 of the features, nothing without any. */
export function hashFeatures(options: TrainOptions): string | undefined {
  if (!options.itemFeatures && !options.userFeatures) return undefined
  const hash = createHash('sha256')
  for (const side of SIDES) {
    const features = options[FIELDS[side]]
    hash.update(JSON.stringify([side, features?.rows, features?.features]))
    if (!features) continue
    for (const array of [features.indptr, features.indices, features.values]) {
      const step = 2 ** 28 / array.BYTES_PER_ELEMENT
      for (let at = 0; at < array.length; at += step) hash.update(array.subarray(at, at + step))
    }
  }
  return hash.digest('hex')
}

/** Makes the maps of the sides that have features, and lets the rows be regularised towards them. */
export function openFeatureMaps(
  options: TrainOptions,
  resolved: ModelOptions,
  sides: { readonly users: Side; readonly items: Side },
  room: FeatureMapRoom,
  starts: BySide<FeatureMapStart>,
): BySide<FeatureMap> {
  const maps: { users?: FeatureMap; items?: FeatureMap } = {}
  for (const side of SIDES) {
    const features = options[FIELDS[side]]
    if (!features) continue
    const others = sides[side === 'users' ? 'items' : 'users'].rows
    const map = makeFeatureMap(features, sides[side].sparse, others, resolved, room, starts[side])
    maps[side] = map
    sides[side].prior = map
  }
  return maps
}

/** λ_A|A|² + λ_B|B|² */
export function mapPenalty(maps: BySide<FeatureMap>): number {
  let penalty = 0
  for (const side of SIDES) {
    const map = maps[side]
    if (map) penalty += map.regularization * map.squaredNorm
  }
  return penalty
}

/** What maps that start from an earlier model's vectors predict. */
export async function predictFromStarts(bench: Workbench, maps: BySide<FeatureMap>): Promise<void> {
  for (const side of SIDES) {
    const map = maps[side]
    if (map) await predictRows(bench, map)
  }
}

/** Fits the maps to the factors as they are. Returns by how much the objective is lower for it. */
export async function fitFeatureMaps(
  bench: Workbench,
  sides: { readonly users: Side; readonly items: Side },
  maps: BySide<FeatureMap>,
  seconds: PhaseSeconds,
): Promise<number> {
  let gain = 0
  for (const side of SIDES) {
    const map = maps[side]
    if (!map) continue
    bench.onPhase?.('features')
    const started = performance.now()
    gain += await fitFeatures(bench, sides[side], map)
    seconds.features += (performance.now() - started) / 1000
  }
  return gain
}

/** The maps as a model has them, without padding: 'last' in the memory of the maps, which are no longer usable then. */
export function toFeatureVectors(
  options: TrainOptions,
  maps: BySide<FeatureMap>,
  k: number,
  which?: 'last',
): { userFeatures?: FeatureVectors; itemFeatures?: FeatureVectors } {
  const fields: { userFeatures?: FeatureVectors; itemFeatures?: FeatureVectors } = {}
  for (const side of SIDES) {
    const map = maps[side]
    if (!map) continue
    const { names, vocabulary } = options[FIELDS[side]]!
    const vectors = toAllFeatures(map, padFactors(k), which === 'last')
    fields[FIELDS[side]] = {
      names,
      ...(vocabulary && { vocabulary }),
      vectors: withoutPadding(vectors, names.length, k),
      regularization: map.regularization,
    }
  }
  return fields
}

function withoutPadding(
  values: Float32Array<SharedArrayBuffer>,
  rows: number,
  k: number,
): Float32Array<SharedArrayBuffer> {
  const padded = padFactors(k)
  if (padded === k) return values
  for (let row = 1; row < rows; row++) values.copyWithin(row * k, row * padded, row * padded + k)
  return new Float32Array(values.buffer, 0, rows * k)
}

/** Where the maps start: from those of an earlier model, by the features' names. @throws OptionError naming the array. */
export function planMapStarts({ initial, ...options }: TrainOptions, k: number): BySide<FeatureMapStart> {
  const starts: { users?: FeatureMapStart; items?: FeatureMapStart } = {}
  for (const side of SIDES) {
    const field = FIELDS[side]
    const before = initial?.[field]
    const features = options[field]
    if (!before || !features) continue
    if (before.vectors.length !== before.names.length * k) {
      throw new OptionError(
        `initial.${field}.vectors has ${before.vectors.length} values, expected ${before.names.length} features of ${k} factors.`,
      )
    }
    const bad = before.vectors.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0) {
      throw new OptionError(
        `initial.${field}.vectors has ${before.vectors[bad]} for feature ${before.names.at(Math.floor(bad / k))}, expected finite numbers.`,
      )
    }
    const rows = new Map<string, number>()
    for (let f = 0; f < before.names.length; f++) rows.set(before.names.at(f)!, f)
    const padded = padFactors(k)
    const vectors = sharedFloat32(features.features * padded)
    for (let f = 0; f < features.features; f++) {
      const from = rows.get(features.names.at(f)!)
      if (from !== undefined) vectors.set(before.vectors.subarray(from * k, (from + 1) * k), f * padded)
    }
    starts[side] = { vectors }
  }
  return starts
}
