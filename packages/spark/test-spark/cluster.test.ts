import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeCatalogue } from '../../../examples/catalogue/write-catalogue.ts'
import { Program } from '../../../examples/test/program.ts'
import { type StandIn, startStandIn } from '../../qdrant-sink/test/stand-in/server.ts'
import { readParquet } from './entries.ts'
import { absent, conf, processesWith, sparkOptions, temporaryFolder } from './spark.ts'

interface SparkRow {
  id: bigint | number
  vector: number[]
  interaction_count: number
}

interface Point {
  id: number
  vector: Record<'similar' | 'taste', number[]>
  payload: Record<string, unknown>
}

const factors = 8

describe.skipIf(absent)('npm run train:cluster', () => {
  const folder = temporaryFolder()
  const marker = `SPARK_TEST=${folder}`
  let qdrant: StandIn
  beforeAll(async () => {
    qdrant = await startStandIn()
    await writeCatalogue({ directory: folder, users: 400, releases: 300, seed: 5 })
  })
  afterAll(() => qdrant?.close())

  const start = (more: Record<string, string>) => {
    const { submit, environment } = sparkOptions()
    const places = ['haves', 'wants', 'ratings', 'releases'].map((name) => [name.toUpperCase(), join(folder, name)])
    const samples = ['HAVES', 'WANTS', 'RATINGS'].map((name) => [`SAMPLE_FRAC_${name}`, '1'])
    const given = Object.entries(environment).filter(([, value]) => value !== undefined)
    return new Program('train-on-cluster.ts', {
      ...Object.fromEntries([...given, ...places, ...samples, marker.split('=')]),
      SPARK_SUBMIT: submit!,
      SPARK_MASTER: 'local[2]',
      SPARK_CONF: Object.entries(conf)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
      SPARK_BLOCKS: '2',
      WORK_DIR: join(folder, 'work here'),
      MIN_USER_INTERACTIONS: '30',
      MIN_ITEM_INTERACTIONS: '20',
      VECTOR_DIM: String(factors),
      HOLD_OUT: '0.1',
      THREADS: '2',
      ...more,
    })
  }

  test('publishes Spark’s vectors and their taste space, with payloads, and measures what was held out', async () => {
    const program = start({ ITERATIONS: '3', QDRANT_URL: qdrant.url, PUBLISH_USERS: 'true' })
    expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
    const read = async (side: string) => {
      const rows = await readParquet<SparkRow>(join(folder, 'work here', side))
      return rows.sort((a, b) => Number(a.id) - Number(b.id))
    }
    const [items, users] = [await read('items'), await read('users')]
    const [points, people] = [await pointsOf('recommendations'), await pointsOf('recommendations_users')]
    expect(points.map(({ id }) => id)).toEqual(items.map(({ id }) => Number(id)))
    expect(people.map(({ id }) => id)).toEqual(users.map(({ id }) => Number(id)))
    expect(points.length).toBeGreaterThan(50)
    for (const [row, { vector, payload }] of points.entries()) {
      const { vector: y, interaction_count } = items[row]
      const length = Math.hypot(...y)
      for (const [i, value] of vector.similar.entries()) expect(value).toBeCloseTo(y[i] / length, 5)
      expect(payload).toMatchObject({ interaction_count, title: expect.any(String) })
    }
    // In the taste space, too, users and items have the inner products that they were trained to have.
    for (let user = 0; user < users.length; user += 20) {
      for (let item = 0; item < items.length; item += 10) {
        const score = dot(users[user].vector, items[item].vector)
        expect(dot(people[user].vector.taste, points[item].vector.taste)).toBeCloseTo(score, 4)
      }
    }
    const recalls = [...program.stdout.matchAll(/│ (?:this model|most popular) +│ +(0\.\d{4})/g)].map(
      ([, text]) => +text,
    )
    expect(recalls).toHaveLength(2)
    expect(recalls[0]).toBeGreaterThan(recalls[1])
    expect(program.stdout).toContain('Similar items')
  })

  test('killed itself it leaves neither a JVM nor Python, and the next run takes up the entries', async () => {
    const program = start({ ITERATIONS: '1000' })
    await program.says(/spark +train +\d/)
    expect(processesWith(marker).length).toBeGreaterThanOrEqual(3)
    expect(program.stderr).not.toContain('count users')
    program.kill('SIGKILL')
    await program.end()
    // To the timeout of the test, if need be.
    while (processesWith(marker).length > 0) await sleep(100)
  })

  /** Scrolling tells the ids, retrieving the vectors. */
  async function pointsOf(alias: string): Promise<Point[]> {
    const { points } = await ask<{ points: Point[] }>(`${alias}/points/scroll`, { limit: 10_000 })
    return ask(`${alias}/points`, { ids: points.map(({ id }) => id), with_vector: true, with_payload: true })
  }

  async function ask<T>(path: string, body: unknown): Promise<T> {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${qdrant.url}/collections/${path}`, {
      ...{ method: 'POST', headers, body: JSON.stringify(body) },
    })
    return ((await response.json()) as { result: T }).result
  }
})

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0)
}
