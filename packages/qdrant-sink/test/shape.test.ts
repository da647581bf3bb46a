import { describe, expect } from 'vitest'
import { type PublishOptions, type PublishWarning, preflight, type Vectors } from '../src/index.ts'
import { tagged } from './catalogue.ts'
import { test } from './publication.ts'
import { isReal } from './servers.ts'

const { ids, data } = tagged(100, 1).vectors
const wide = new Float32Array(800).fill(1)

describe('other vectors than those that serve', () => {
  test.for<[string, PublishOptions['vectors'], RegExp]>([
    [
      'another dimension',
      { ids, data: wide, dimension: 8 },
      /serves 4 dimensions by Cosine, .* has 8 dimensions by Cosine/,
    ],
    ['another distance', { ids, data, dimension: 4, distance: 'Dot' }, /has 4 dimensions by Dot/],
    ['a name', { ids, named: { taste: { data, dimension: 4 } } }, /has "taste" of 4 dimensions by Cosine/],
  ])('%s: nothing is made unless it is allowed', async ([, vectors, message], { server, run }) => {
    const { collection } = await run()
    server.requests.length = 0
    await expect(run({ vectors })).rejects.toMatchObject({
      step: 'preflight',
      collection,
      temporary: false,
      message: expect.stringMatching(message),
    })
    expect(server.requests.filter(({ operation }) => operation === 'createCollection')).toEqual([])
    const warnings: PublishWarning[] = []
    await run({ vectors, allowNewShape: true, onWarning: (warning) => warnings.push(warning) })
    expect(warnings).toEqual([{ code: 'new-shape', message: expect.stringMatching(message) }])
    // From now on it is the one that serves.
    await run({ vectors, onWarning: (warning) => warnings.push(warning) })
    expect(warnings).toHaveLength(1)
  })

  test('users too', async ({ server, alias, run }) => {
    const vectors: Vectors = { ids, data, dimension: 4, distance: 'Dot' }
    const named = { both: { data: wide, dimension: 8, distance: 'Dot' as const }, taste: vectors }
    await run({ vectors: { ids, named }, users: { vectors } })
    await expect(
      run({ vectors: { ids, named }, users: { vectors: { ...vectors, data: wide, dimension: 8 } } }),
    ).rejects.toThrow(/_users serves 4 dimensions by Dot, this publication has 8/)
    // Asked beforehand, without vectors.
    const shape = { named: { taste: { dimension: 4, distance: 'Dot' as const } } }
    const ask = { url: server.url, alias }
    await expect(preflight({ ...ask, vectors: shape })).rejects.toThrow(
      /serves "both" of 8 .* and "taste" of 4 .* has "taste" of 4/,
    )
    await expect(preflight({ ...ask, users: { vectors: { dimension: 4 } } })).rejects.toThrow(
      /_users serves .* by Dot, .* by Cosine/,
    )
    const state = await preflight({ ...ask, users: { vectors: { dimension: 4, distance: 'Dot' } } })
    expect(state).toMatchObject({ serving: { points: 100 }, version: expect.stringMatching(/^1\./) })
  })
})

test.skipIf(isReal)('a server of a later major version is a warning', async ({ server, run }) => {
  const warnings: PublishWarning[] = []
  server.faults.add({
    operation: 'root',
    fault: { kind: 'answer', change: (root) => Object.assign(root, { version: '2.0.1' }) },
  })
  expect(await run({ onWarning: (warning) => warnings.push(warning) })).toMatchObject({ serverVersion: '2.0.1' })
  expect(warnings).toEqual([
    { code: 'server-version', message: expect.stringContaining('has version 2.0.1, expected 1.x') },
  ])
})

describe('datatypes are verified as what the server keeps', () => {
  test('uint8: integers are kept as they are, others are refused by row before the first request', async ({
    server,
    run,
  }) => {
    const bytes = Float32Array.from({ length: 400 }, (_, i) => i % 256)
    const options = { vectorParameters: { datatype: 'uint8' } as const }
    await expect(run({ ...options, vectors: { ids, data, dimension: 4 } })).rejects.toThrow(
      /vectors.data is -?0\.\d+ in row 0 \(id 1\), column 0, expected integers from 0 to 255, since `vectorParameters.datatype` is uint8/,
    )
    for (const [value, column] of [
      [256, 7],
      [-1, 8],
    ]) {
      const wrong = bytes.with(column, value)
      await expect(run({ ...options, vectors: { ids, data: wrong, dimension: 4 } })).rejects.toThrow(
        `vectors.data is ${value} in row`,
      )
    }
    expect(server.requests).toEqual([])
    for (const distance of ['Cosine', 'Dot'] as const)
      await run({ ...options, allowNewShape: true, vectors: { ids, data: bytes, dimension: 4, distance } })
    const change = ({ result }: { result: { vector: number[] }[] }): void => void result[3].vector[2]++
    server.faults.add({ operation: 'getPoints', fault: { kind: 'answer', change } })
    await expect(run({ ...options, vectors: { ids, data: bytes, dimension: 4, distance: 'Dot' } })).rejects.toThrow(
      /not the one sent/,
    )
  })

  test('float16: within its rounding, from the largest to the least', async ({ server, run }) => {
    const options = { vectorParameters: { datatype: 'float16' } as const }
    const values = Float32Array.from({ length: 400 }, (_, i) => 65_504 * 2 ** -(i / 8) * (i % 2 === 0 ? 1 : -1))
    const vectors: Vectors = { ids, data: values, dimension: 4, distance: 'Dot' }
    await run({ ...options, vectors })
    await run({ ...options, vectors: { ...vectors, distance: 'Cosine' }, allowNewShape: true })
    await expect(run({ ...options, vectors: { ...vectors, data: values.with(5, 65_505) } })).rejects.toThrow(
      /65505 in row 1 \(id 2\), column 1, expected at most 65504/,
    )
    // Half a per cent off is not rounding.
    const change = ({ result }: { result: { vector: number[] }[] }): void => {
      result[3].vector[2] *= 1.005
    }
    server.faults.add({ operation: 'getPoints', fault: { kind: 'answer', change } })
    await expect(run({ ...options, vectors, allowNewShape: true })).rejects.toThrow(/not the one sent/)
  })

  test('others cannot be verified', async ({ run }) => {
    await expect(run({ vectorParameters: { datatype: 'turbo4' } })).rejects.toThrow(
      /is turbo4, expected float32, float16 or uint8/,
    )
  })
})

test('vectors for cosine go out at unit length: short ones are found like all others', async ({
  server,
  alias,
  run,
}) => {
  const lengths = [1, 1e-2, 3.5e-4, 3.4e-4, 1e-5, 1e-20, 1e-38, 1e20]
  const rows = lengths.length
  const data = Float32Array.from(
    { length: 4 * rows },
    (_, i) => [0.1, 0.7, -0.5, 0.5][i % 4] * lengths[Math.floor(i / 4)],
  )
  await run({ vectors: { ids: lengths.map((_, row) => row), data, dimension: 4 }, verifySample: rows })
  const { points } = await server.client.query(alias, { query: [0.1, 0.7, -0.5, 0.5], limit: rows })
  expect(points).toHaveLength(rows)
  for (const { score } of points) expect(score).toBeCloseTo(1, 5)
})
