import { describe, expect, test } from 'vitest'
import { checkFeatures, type FeatureMatrix } from '../src/features/feature-matrix.ts'
import type { FeatureRecord } from '../src/features/feature-names.ts'
import { FeatureRows } from '../src/features/feature-rows.ts'
import type { FeatureSpec } from '../src/features/feature-spec.ts'
import { FeatureVocabulary } from '../src/features/feature-vocabulary.ts'
import { FeatureCounter, featuresFrom } from '../src/features/features-from.ts'

const records = [
  { artists: ['Ada', 'Bo'], year: 1990, country: 'UK' },
  { artists: ['Ada'], year: 1994, country: 'UK' },
  { artists: ['Ada', 'Cy', 'Ada'], year: 1995, country: 'DE' },
  { artists: ['Bo'], year: null, country: '' },
  undefined,
  { artists: [], year: Number.NaN },
]

const spec: FeatureSpec = { fields: { artists: 'values', country: 'values', year: { bucket: 5 } }, minimumItems: 2 }

/** Features of a row by name. */
function named({ indptr, indices, values, names }: FeatureMatrix, row: number): Record<string, number> {
  const entries: [string, number][] = []
  for (let e = indptr[row]; e < indptr[row + 1]; e++) entries.push([names.at(indices[e])!, values[e]])
  return Object.fromEntries(entries)
}

test('values, lists and buckets become features, weighted by inverse document frequency, rows of length 1', () => {
  const features = featuresFrom(records, spec)
  checkFeatures('itemFeatures', features, 6, 'items')
  expect(features.names).toEqual(['artists=Ada', 'artists=Bo', 'country=UK', 'year=[1990,1995)'])
  const [ada, bo, uk, year] = [Math.log(6 / 3), Math.log(3), Math.log(3), Math.log(3)]
  const length = Math.hypot(ada, bo, uk, year)
  expect(named(features, 0)).toEqual({
    'artists=Ada': Math.fround(Math.fround(ada) / length),
    'artists=Bo': expect.closeTo(bo / length, 6),
    'country=UK': expect.closeTo(uk / length, 6),
    'year=[1990,1995)': expect.closeTo(year / length, 6),
  })
  // An artist named twice counts once; what one item alone has (Cy, DE, 1995) is left out.
  expect(named(features, 2)).toEqual({ 'artists=Ada': 1 })
  // Nothing is known of these two.
  expect([named(features, 4), named(features, 5)]).toEqual([{}, {}])
})

test('no weighting, no lengths', () => {
  const features = featuresFrom(records, { ...spec, weighting: 'none', normalize: false })
  expect(named(features, 1)).toEqual({ 'artists=Ada': 1, 'country=UK': 1, 'year=[1990,1995)': 1 })
})

test('the order of the records decides nothing but the order of the rows', () => {
  const forward = featuresFrom(records, spec)
  const backward = featuresFrom(records.toReversed(), spec)
  for (const row of records.keys()) expect(named(backward, 5 - row)).toEqual(named(forward, row))
  expect(backward.names).toEqual(forward.names)
})

test('an upper bound keeps the features of most items', () => {
  expect(featuresFrom(records, { ...spec, maximumFeatures: 2 }).names).toEqual(['artists=Ada', 'artists=Bo'])
})

test('what every item has is left out under idf, and kept without', () => {
  const shared = [
    { styles: ['House'], format: 'LP' },
    { styles: ['House'], format: 'LP' },
    { styles: [], format: 'LP' },
  ]
  const fields = { styles: 'values', format: 'values' } as const
  expect(featuresFrom(shared, { fields, minimumItems: 2 }).names).toEqual(['styles=House'])
  expect(featuresFrom(shared, { fields, minimumItems: 2, weighting: 'none' }).names).toEqual([
    'format=LP',
    'styles=House',
  ])
})

test('buckets of any width, with bounds', () => {
  const years = [0, 1899, 1900, 1905, 2024, 3000].map((year) => ({ year, seconds: year / 1000 }))
  const fields = { year: { bucket: 10, minimum: 1900, maximum: 2100 }, seconds: { bucket: 0.1 } } as const
  const { names } = featuresFrom(years, { fields, minimumItems: 1 })
  expect(names).toContain('year=[1900,1910)')
  expect(names).toContain('year=[2020,2030)')
  expect(names).not.toContain('year=[0,10)')
  expect(names).not.toContain('year=[3000,3010)')
  expect(names).toContain('seconds=[1.9,2)')
  expect(
    featuresFrom([{ y: -1 }, { y: -5 }, { y: 1 }], { fields: { y: { bucket: 5 } }, minimumItems: 2 }).names,
  ).toEqual(['y=[-5,0)'])
})

test('numbers, 64-bit integers and booleans are categories too', () => {
  const some = [{ label: 7 }, { label: 7n }, { label: true }, { label: [true, 7] }]
  expect(featuresFrom(some, { fields: { label: 'values' }, minimumItems: 2 }).names).toEqual(['label=7', 'label=true'])
})

test('two passes over a stream, rows in any order, give what featuresFrom gives', () => {
  const counter = new FeatureCounter(spec)
  for (const record of records.toReversed()) record ? counter.add(record) : counter.addUnknown()
  const rows = new FeatureRows(counter.finish(), records.length)
  for (const row of [3, 0, 5, 1, 2]) rows.set(row, records[row]!)
  const streamed = rows.finish()
  const held = featuresFrom(records, spec)
  expect(streamed.indptr).toEqual(held.indptr)
  expect(streamed.indices).toEqual(held.indices)
  expect(streamed.values).toEqual(held.values)
  expect(() => rows.set(3, {})).toThrow(/Row 3 has two records/)
  expect(() => rows.set(6, {})).toThrow(/no row 6, expected one from 0 to 5/)
})

test('grows to many rows', () => {
  const many = Array.from({ length: 3000 }, (_, n) => ({ a: [n % 7, n % 11, n % 13] }))
  const features = featuresFrom(many, { fields: { a: 'values' }, weighting: 'none', normalize: false })
  checkFeatures('itemFeatures', features, 3000, 'items')
  for (const [row, { a }] of many.entries()) {
    expect(Object.keys(named(features, row)).sort()).toEqual([...new Set(a)].map((v) => `a=${v}`).sort())
  }
})

describe('a vocabulary', () => {
  const { vocabulary } = featuresFrom(records, spec)

  test('places a new record, and leaves out what it does not know', () => {
    const { indices, values } = vocabulary!.rowOf({ artists: ['Ada', 'Zoe'], year: 1993, country: 'FR' })
    expect([...indices].map((f) => vocabulary!.names[f])).toEqual(['artists=Ada', 'year=[1990,1995)'])
    expect(Math.hypot(...values)).toBeCloseTo(1, 6)
    expect(vocabulary!.rowOf({ artists: ['Zoe'] }).indices).toHaveLength(0)
    expect(vocabulary!.indexOf('artists=Bo')).toBe(1)
    expect(vocabulary!.indexOf('artists=Zoe')).toBeUndefined()
  })

  test('is the same after a round through JSON', () => {
    const read = FeatureVocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary)))
    expect(read.weights).toEqual(vocabulary!.weights)
    for (const record of records) if (record) expect(read.rowOf(record)).toEqual(vocabulary!.rowOf(record))
  })

  test('refuses names without counts', () => {
    const saved = vocabulary!.toJSON()
    expect(() => FeatureVocabulary.fromJSON({ ...saved, counts: [1] })).toThrow(/4 names and 1 counts/)
  })
})

describe('what cannot be features', () => {
  const with_ = (change: object) => () => featuresFrom(records, { ...spec, ...change })

  test.each([
    [{ fields: {} }, /fields is empty/],
    [{ fields: { 'a=b': 'values' } }, /"a=b" is no name of a field/],
    [{ fields: { year: 'bucket' } }, /fields.year is "bucket", expected 'values' or \{ bucket: width \}/],
    [{ fields: { year: { bucket: 0 } } }, /fields.year.bucket is 0, expected a finite number above 0/],
    [{ fields: { year: { bucket: 5, minimum: 9, maximum: 1 } } }, /from 9 to 1, expected a minimum below/],
    [{ fields: { year: { bucket: 5, min: 9 } } }, /fields.year has no option min: expected bucket, minimum, maximum/],
    [{ minimumItem: 3 }, /no option minimumItem: did you mean minimumItems/],
    [{ minimumItems: 0 }, /minimumItems is 0/],
    [{ maximumFeatures: 1.5 }, /maximumFeatures is 1.5/],
    [{ weighting: 'tfidf' }, /weighting is "tfidf", expected one of 'idf', 'none'/],
    [{ normalize: 'yes' }, /normalize is yes/],
    [
      { fields: { artist: 'values' } },
      /fields.artist: none of the 6 records has a value there.* artists, year, country/,
    ],
    [{ fields: { country: { bucket: 5 } } }, /Record 0: country is "UK", expected a finite number/],
    [{ minimumItems: 5 }, /None of the 7 values in artists, country, year is shared by 5 of the 6 items/],
  ])('%o', (change, message) => {
    expect(with_(change as object)).toThrow(message)
  })

  test('objects, and numbers without end', () => {
    const objects = [{ artists: [{ id: 1, name: 'Ada' }] }]
    expect(() => featuresFrom(objects, { fields: { artists: 'values' } })).toThrow(
      /Record 0: artists holds \{"id":1,"name":"Ada"\}, expected strings or numbers/,
    )
    expect(() => featuresFrom([{ y: 1 }, { y: Infinity }], { fields: { y: { bucket: 1 } } })).toThrow(
      /Record 1: y is Infinity, expected a finite number/,
    )
  })

  test.each<[string, unknown, RegExp]>([
    ['a name', 'Ada', /The record is "Ada", expected an object with the fields artists, country, year/],
    ['a list', ['Ada'], /The record is \["Ada"\], expected an object/],
    ['null', null, /The record is null, expected an object/],
    ['a Map', new Map([['artists', 'Ada']]), /The record is a Map, expected an object/],
  ])('%s in place of a record', (_, record, message) => {
    const { vocabulary } = featuresFrom(records, spec)
    expect(() => vocabulary!.rowOf(record as FeatureRecord)).toThrow(message)
  })

  test('what all items share, which tells none from another', () => {
    const shared = [{ country: 'UK' }, { country: 'UK' }, { country: 'UK' }]
    const fields = { country: 'values' } as const
    expect(() => featuresFrom(shared, { fields })).toThrow(
      /Each value in country that 3 of the 3 items share is shared by all of them/,
    )
    expect(featuresFrom(shared, { fields, weighting: 'none' }).names).toEqual(['country=UK'])
  })
})
