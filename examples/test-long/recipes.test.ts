/** Each recipe as its reader runs it, on small data. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModel, Recommender } from '@seesaw/als-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { duckdbRows, quoted } from '../recipes/duckdb-rows.ts'
import { Program } from '../test/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'recipes-'))
const shop = join(folder, 'shop')
const model = join(folder, 'model')
beforeAll(() => writeCatalogue({ directory: shop, users: 600, releases: 300, seed: 3 }))
afterAll(() => rmSync(folder, { recursive: true }))

async function run(name: string, args: string[], environment: Record<string, string> = {}) {
  const program = new Program(`recipes/${name}`, environment, args)
  const { code } = await program.end()
  return { code, lines: program.stdout.trim().split('\n'), stderr: program.stderr }
}

describe('recipes', () => {
  it('movielens: two groups of films that are liked together are told apart', async () => {
    const directory = join(folder, 'movielens')
    mkdirSync(directory)
    const ratings = ['userId,movieId,rating,timestamp']
    for (let user = 1; user <= 60; user++) {
      // The first half likes films 1 to 10, the second 11 to 20; all dislike film 21.
      const first = user <= 30 ? 1 : 11
      for (let n = 0; n < 10; n++) if ((user + n) % 3 > 0) ratings.push(`${user},${first + n},${n % 2 ? 5 : 3.5},100`)
      ratings.push(`${user},21,0.5,100`)
    }
    writeFileSync(join(directory, 'ratings.csv'), `${ratings.join('\n')}\n`)
    const films = Array.from({ length: 21 }, (_, i) => `${i + 1},"Film ${i + 1}, The (1999)",Drama`)
    writeFileSync(join(directory, 'movies.csv'), `movieId,title,genres\n${films.join('\n')}\n`)
    const { code, lines } = await run('movielens.ts', [directory, 'Film 3, The (1999)', 'Film 21, The (1999)'])
    expect(code).toBe(0)
    expect(lines[0]).toBe('400 ratings of 60 users for 20 films')
    expect(lines[1]).toContain('Nobody here likes "Film 21, The (1999)"')
    const listed = lines.slice(3).map((line) => Number(/Film (\d+),/.exec(line)![1]))
    expect(listed.slice(0, 9).toSorted((a, b) => a - b)).toEqual([1, 2, 4, 5, 6, 7, 8, 9, 10])
  })

  it('play counts: with and without times', async () => {
    const plain = join(folder, 'plays.tsv')
    const timed = join(folder, 'plays.parquet')
    const rows = `SELECT u AS user, (u % 3) * 10 + i AS item, 1 + (u * 7 + i * 13) % 5000 AS plays,
      DATE '2026-01-01' + (u % 300)::INTEGER AS played_at FROM range(90) a(u), range(10) b(i)`
    for await (const _ of duckdbRows(
      `COPY (SELECT * EXCLUDE played_at FROM (${rows})) TO ${quoted(plain)} (DELIMITER '\t')`,
    ));
    for await (const _ of duckdbRows(`COPY (${rows}) TO ${quoted(timed)}`));
    for (const [file, said] of [
      [plain, '900 counts of 90 users for 30 items'],
      [timed, '900 counts of 90 users for 30 items, halved with age'],
    ]) {
      const { code, lines } = await run('play-counts.ts', [file])
      expect(code).toBe(0)
      expect(lines[0]).toBe(said)
      const [ours, popular] = lines.slice(1).map((line) => Number(line.split(': ')[1]))
      expect(ours).toBeGreaterThan(0.9)
      expect(popular).toBeLessThan(0.9)
    }
  })

  it('nightly: the second night starts from the first', async () => {
    const first = await run('nightly.ts', [join(shop, 'haves'), model])
    expect(first.code).toBe(0)
    expect(first.lines).toHaveLength(16)
    const second = await run('nightly.ts', [join(shop, 'haves'), model])
    expect(second.lines.at(-1)).toMatch(/^Retrained: \d+ users, \d+ items/)
    const loss = (line: string) => Number(line.split('loss ')[1])
    expect(loss(second.lines[0])).toBeLessThan(loss(first.lines[1]))
    expect((await loadModel(model)).history).toHaveLength(5)
    const damaged = join(folder, 'damaged')
    mkdirSync(damaged)
    writeFileSync(join(damaged, 'manifest.json'), '{}')
    expect((await run('nightly.ts', [join(shop, 'haves'), damaged])).code).toBe(1)
    expect(readdirSync(damaged)).toEqual(['manifest.json'])
  })

  it('export of all lists: what the Recommender says, without what a user has', async () => {
    const file = join(folder, 'lists.parquet')
    const { code } = await run('export-lists.ts', [model, file, '7'])
    expect(code).toBe(0)
    await using recommender = await Recommender.open(model)
    const user = recommender.model.userIds!.at(11)!
    const list: unknown[] = []
    for await (const row of duckdbRows(`SELECT item FROM ${quoted(file)} WHERE "user" = ${user} ORDER BY rank`)) {
      list.push(Number(row.item))
    }
    expect(list).toEqual([...(await recommender.recommend(String(user), { limit: 7 })).ids])
    for await (const { n } of duckdbRows(`SELECT count(DISTINCT "user") AS n FROM ${quoted(file)}`)) {
      expect(Number(n)).toBe(recommender.model.users)
    }
  })

  it('users in Qdrant: the list of the first user, without what they have', async () => {
    const server = await startStandIn()
    const { code, lines, stderr } = await run('users-in-qdrant.ts', [join(shop, 'haves')], { QDRANT_URL: server.url })
    await server.close()
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const has = /has (.*?)(, …)? and would like/.exec(lines[1])![1].split(', ')
    expect(lines).toHaveLength(7)
    for (const line of lines.slice(2)) expect(has).not.toContain(line.split(' ')[1])
    const scores = lines.slice(2).map((line) => Number(line.split(' ')[0]))
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
  })

  it('tuning: the settings found are those trained with, and better than most popular', async () => {
    const { code, lines } = await run('tune-and-evaluate.ts', [join(shop, 'haves'), '8'])
    expect(code).toBe(0)
    const recall = (name: string) => {
      const line = lines.find((line) => line.startsWith(name))!
      return Number(/Recall@20 ([\d.]+)/.exec(line)![1])
    }
    expect(recall('tuned')).toBeGreaterThan(recall('most popular'))
  })

  it('without their arguments they say what to name', async () => {
    for (const name of ['play-counts', 'nightly', 'export-lists', 'tune-and-evaluate', 'users-in-qdrant']) {
      const { code, stderr } = await run(`${name}.ts`, [])
      expect(code).toBe(2)
      expect(stderr).toContain(`node examples/recipes/${name}.ts`)
    }
  })
})
