/** The published splits in ../shared/data, and a validation split of their training part. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { type InteractionMatrix, matrixFromTriplets, splitRandomly } from '@seesaw/als-core'

export const dataSets = ['gowalla', 'amazon-cds'] as const
export type DataSet = (typeof dataSets)[number]

export interface TrainAndTest {
  train: InteractionMatrix
  test: InteractionMatrix
}

/** The published training and test interactions, or nothing where the folder is absent. */
export function readDataSet(name: DataSet): TrainAndTest | undefined {
  const folder = fileURLToPath(new URL(`../../../shared/data/${name}/`, import.meta.url))
  if (!existsSync(folder)) {
    console.error(`Skipped ${name}: ${folder} does not exist.`)
    return undefined
  }
  const parts = ['train', 'test'].map((part) => readPairs(`${folder}${part}.tsv.gz`))
  const count = (column: 'rows' | 'columns') =>
    1 + parts.reduce((most, part) => part[column].reduce((a, b) => Math.max(a, b), most), 0)
  const shape = { users: count('rows'), items: count('columns'), duplicates: 'max' as const }
  const [train, test] = parts.map((pairs) => matrixFromTriplets({ ...shape, ...pairs }))
  return { train, test }
}

/** A fifth of the training interactions to choose parameters by, as the test part is of all; that stays out of it. */
export function validationSplit({ train }: TrainAndTest): TrainAndTest {
  return splitRandomly(train, 0.2, { seed: 1 })
}

function readPairs(file: string): { rows: Uint32Array; columns: Uint32Array } {
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
  const field = (n: number) => Uint32Array.from(lines, (line) => Number(line.split('\t')[n]))
  return { rows: field(0), columns: field(1) }
}
