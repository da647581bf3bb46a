import { OptionError } from '../checks/option-error.ts'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { oneOf, positive, positiveInteger } from '../checks/values.ts'

/**
 * How a field of the records becomes features. `'values'`: each distinct value is one, be the field a list (artists, styles)
 * or a scalar (country), of strings, numbers or booleans. `{ bucket }`: a number falls into an interval of that width, and
 * each interval is a feature: years by half-decade are `{ bucket: 5 }`. A number below `minimum` or above `maximum` is not
 * known, such as the year 0.
 */
export type FieldKind = 'values' | { readonly bucket: number; readonly minimum?: number; readonly maximum?: number }

export interface FeatureSpec {
  /** The fields of a record to make features of. */
  readonly fields: Readonly<Record<string, FieldKind>>
  /**
   * Items that a feature needs. Default 3: what one or two items have says nothing of a third, and most artists of a
   * catalogue are of that kind.
   */
  readonly minimumItems?: number
  /**
   * Features kept at most: those of most items. Default 1,048,576 (2²⁰), which with 128 factors are 0.5 GB for each of the
   * few arrays of features × factors that training holds.
   */
  readonly maximumFeatures?: number
  /**
   * Weight of a feature. Default `'idf'`, ln(items / items that have it) (Spärck Jones 1972): an artist says more than a
   * country. What every item has weighs nothing and is left out. `'none'`: 1 each, and what every item has is kept.
   */
  readonly weighting?: 'idf' | 'none'
  /** Scales rows to length 1, so that the prediction of an item with forty tags is not ten times as long. Default true. */
  readonly normalize?: boolean
}

/** A specification with every default filled in. */
export type ResolvedFeatureSpec = Required<FeatureSpec>

/** @throws OptionError naming the option or the field */
export function resolveFeatureSpec(spec: FeatureSpec): ResolvedFeatureSpec {
  refuseUnknownNames('The features', spec, NAMES)
  const { fields, minimumItems = 3, maximumFeatures = 2 ** 20, weighting = 'idf', normalize = true } = spec
  const names = Object.keys(fields ?? {})
  if (names.length === 0) {
    throw new OptionError("fields is empty, expected at least one field: { artists: 'values', year: { bucket: 5 } }.")
  }
  for (const name of names) checkField(name, fields[name])
  positiveInteger('minimumItems', minimumItems)
  positiveInteger('maximumFeatures', maximumFeatures)
  oneOf('weighting', weighting, ['idf', 'none'])
  if (typeof normalize !== 'boolean') throw new OptionError(`normalize is ${normalize}, expected true or false.`)
  return { fields: { ...fields }, minimumItems, maximumFeatures, weighting, normalize }
}

function checkField(name: string, kind: FieldKind): void {
  // The name of a feature is field=value.
  if (name === '' || name.includes('=')) {
    throw new OptionError(`fields: ${JSON.stringify(name)} is no name of a field, expected one without "=".`)
  }
  if (kind === 'values') return
  if (typeof kind !== 'object' || kind === null || kind.bucket === undefined) {
    throw new OptionError(`fields.${name} is ${JSON.stringify(kind)}, expected 'values' or { bucket: width }.`)
  }
  refuseUnknownNames(`fields.${name}`, kind, { bucket: true, minimum: true, maximum: true })
  positive(`fields.${name}.bucket`, kind.bucket)
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = kind
  if (!(minimum < maximum)) {
    throw new OptionError(`fields.${name} goes from ${minimum} to ${maximum}, expected a minimum below the maximum.`)
  }
}

const NAMES = { fields: true, minimumItems: true, maximumFeatures: true, weighting: true, normalize: true } as const
