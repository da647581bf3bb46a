/** Saved models: Arrow files behind a manifest. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AlsModel, loadModel, ModelFormatError, saveModel, train } from '../src/index.ts'
import { makeMatrix } from './reference.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'model-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

let model: AlsModel
beforeAll(async () => {
  model = await train(makeMatrix([3, 0, 9, 12, 5], 20), {
    factors: 6,
    iterations: 2,
    threads: 1,
    userIds: [5, 4, 3, 2, 2 ** 40],
    itemIds: Array.from({ length: 20 }, (_, item) => `item ${item} ✓`),
  })
})

const file = (side: string) => join(directory, readdirSync(directory).find((name) => name.startsWith(side))!)
const ids = (column: AlsModel['userIds']) => Array.from({ length: column!.length }, (_, row) => column!.at(row))

describe('a saved model', () => {
  it('is loaded as it was', async () => {
    await saveModel(model, directory)
    const loaded = await loadModel(directory)
    expect(loaded.userFactors).toEqual(new Float32Array(model.userFactors))
    expect(loaded.itemFactors).toEqual(new Float32Array(model.itemFactors))
    expect(loaded.userFactors.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(ids(loaded.userIds)).toEqual(model.userIds)
    expect(ids(loaded.itemIds)).toEqual(model.itemIds)
    expect(loaded.interactionCounts).toEqual(model.interactionCounts)
    expect(loaded.options).toEqual(model.options)
    expect(loaded.history).toEqual(model.history)
    expect([loaded.factors, loaded.users, loaded.items]).toEqual([6, 5, 20])
  })

  it('without ids has none when loaded', async () => {
    const { userIds: _, itemIds: __, interactionCounts: ___, ...bare } = model
    await saveModel(bare, directory)
    const loaded = await loadModel(directory)
    expect('userIds' in loaded || 'itemIds' in loaded || 'interactionCounts' in loaded).toBe(false)
  })

  it('of several record batches comes together', async () => {
    const users = 200_000
    const values = Float32Array.from({ length: users * 2 }, (_, at) => at)
    const userFactors = new Float32Array(new SharedArrayBuffer(values.byteLength))
    userFactors.set(values)
    const many = {
      ...model,
      factors: 2,
      users,
      userFactors,
      userIds: Float64Array.from({ length: users }, (_, row) => row * 3),
    }
    await saveModel({ ...many, itemFactors: new Float32Array(new SharedArrayBuffer(160)) }, directory)
    const loaded = await loadModel(directory)
    expect(loaded.userFactors).toEqual(userFactors)
    expect(loaded.userIds!.at(199_999)).toBe(599_997)
  })

  it('is an Arrow file that other tools read', async () => {
    await saveModel(model, directory)
    const table = tableFromIPC(readFileSync(file('items')))
    expect(table.schema.fields.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'id: Utf8',
      'vector: FixedSizeList[6]<Float32>',
      'interaction_count: Uint32',
    ])
    expect(table.numRows).toBe(20)
    expect([...table.get(3)!.vector]).toEqual([...model.itemFactors.subarray(18, 24)])
  })
})

describe('saving', () => {
  it('over an older model leaves the new one alone', async () => {
    await saveModel(model, directory)
    const before = readdirSync(directory)
    await saveModel(
      { ...model, userFactors: model.userFactors.map((value) => -value) as unknown as AlsModel['userFactors'] },
      directory,
    )
    const after = readdirSync(directory)
    expect(after).toHaveLength(5)
    expect(after.filter((name) => before.includes(name))).toEqual(['manifest.json'])
    expect((await loadModel(directory)).userFactors[0]).toBe(-model.userFactors[0])
  })

  it('that fails leaves the older model, and nothing else', async () => {
    await saveModel(model, directory)
    const before = readdirSync(directory).sort()
    const broken = { ...model, itemIds: { length: 20, at: (row: number) => (row > 5 ? fail() : row) } }
    await expect(saveModel(broken, directory)).rejects.toThrow('no such id')
    expect(readdirSync(directory).sort()).toEqual(before)
    expect((await loadModel(directory)).userFactors).toEqual(new Float32Array(model.userFactors))
  })

  it('that was interrupted leaves files that are not a model', async () => {
    await saveModel(model, directory)
    rmSync(join(directory, 'manifest.json'))
    await refused(/has no manifest.json: it does not hold a model, or its saving did not finish/)
  })
})

it.each(['saveModel(model, path)', 'writeNpyFactors(model.userFactors, 64, path)'])(
  'a disk that fills up under %s is named, and nothing is left',
  async (call) => {
    const path = join(directory, 'full')
    const program = `
      import { saveModel, writeNpyFactors } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      import { makeModel } from ${JSON.stringify(new URL('./recommend-model.ts', import.meta.url).href)}
      const [model, path] = [makeModel(3000, 3000, 64), ${JSON.stringify(path)}]
      await ${call}.catch(({ message }) => console.log(message))`
    // Files of at most 64 kB, which a full disk is to a program: it ends in the middle of one.
    const limited = `ulimit -f 64; exec "$0" --input-type=module-typescript -e "$1"`
    const { stdout, stderr } = spawnSync('bash', ['-c', limited, process.execPath, program], { encoding: 'utf8' })
    expect(stdout, stderr).toMatch(new RegExp(`^(EFBIG|ENOSPC): .*, write to ${path}\\n$`))
    expect(readdirSync(directory).flatMap((name) => (name === 'full' ? readdirSync(path) : name))).toEqual([])
  },
)

describe('loading refuses', () => {
  const edit = (change: (manifest: Record<string, unknown>) => void) => {
    const path = join(directory, 'manifest.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    change(manifest)
    writeFileSync(path, JSON.stringify(manifest))
  }
  beforeEach(() => saveModel(model, directory))

  it('a truncated file', async () => {
    truncateSync(file('users'), 300)
    await refused(/users-.* has 300 bytes, the manifest says \d+: it is truncated/)
  })

  it('a truncated file whose size the manifest has right', async () => {
    truncateSync(file('users'), 300)
    edit((manifest) => Object.assign(manifest.users as object, { bytes: 300 }))
    await refused(/users-.*\.arrow/)
  })

  it('a missing file', async () => {
    rmSync(file('items'))
    await refused(/items-.* is missing/)
  })

  it('a file of another kind', async () => {
    const path = file('items')
    writeFileSync(path, 'x'.repeat(readFileSync(path).length))
    await refused(/cannot be read as an Arrow file|expected a column|has 0 rows/)
  })

  it('a file of another model', async () => {
    const other = mkdtempSync(join(tmpdir(), 'model-'))
    await saveModel(
      {
        ...model,
        factors: 3,
        userFactors: model.userFactors.slice(0, 3 * model.users) as unknown as AlsModel['userFactors'],
        itemFactors: model.itemFactors.slice(0, 3 * model.items) as unknown as AlsModel['itemFactors'],
      },
      other,
    )
    const users = readdirSync(other).find((name) => name.startsWith('users'))!
    cpSync(join(other, users), join(directory, users))
    const { length } = readFileSync(join(directory, users))
    edit((manifest) => Object.assign(manifest.users as object, { name: users, bytes: length }))
    rmSync(other, { recursive: true })
    await refused(/"vector" is of type FixedSizeList\[3\]<Float32>, expected a list of 6 float32/)
  })

  it('a later version', async () => {
    edit((manifest) => Object.assign(manifest, { version: 99 }))
    await refused(/version 99.*update the library/)
  })

  it('a foreign manifest', async () => {
    edit((manifest) => Object.assign(manifest, { format: 'other' }))
    await refused(/is not the manifest of a model: "format" is "other"/)
    writeFileSync(join(directory, 'manifest.json'), '{"format":')
    await refused(/not JSON/)
    writeFileSync(join(directory, 'manifest.json'), 'null')
    await refused(/is not the manifest/)
  })

  it('a manifest without its parts', async () => {
    edit((manifest) => delete manifest.items)
    await refused(/does not say where the factors of the items are/)
  })
})

async function refused(message: RegExp): Promise<void> {
  const error = await loadModel(directory).catch((error) => error)
  expect(error).toBeInstanceOf(ModelFormatError)
  expect(error.message).toMatch(message)
}

function fail(): never {
  throw new Error('no such id')
}
