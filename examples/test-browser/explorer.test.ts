import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { FastifyInstance } from 'fastify'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Explanation, MapPoints, Neighbours } from '../explorer/answers.ts'
import { openModel } from '../explorer/server/model-source.ts'
import type { Source } from '../explorer/server/source.ts'
import { startServer } from '../explorer/server/start-server.ts'
import type { ItemPayload } from '../pipeline/payload.ts'
import { hostileGenre, hostileTitles, makeShop, type Shop } from '../test/explorer-shop.ts'
import { chromiumPath, launch } from './chromium.ts'

if (!chromiumPath)
  console.log('Skipped: there is no Chromium. Install it (apt-get install chromium) or name it by CHROMIUM.')

describe.skipIf(!chromiumPath)('the page', () => {
  let folder: string
  let shop: Shop
  let source: Source
  let server: FastifyInstance
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'explorer-'))
    shop = await makeShop(folder)
    source = await openModel(shop.directory, 2)
    server = await startServer(source, { port: 0 })
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await source?.close()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, baseURL: server.listeningOrigin })
    page = await context.newPage()
    complaints = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith(server.listeningOrigin)) complaints.push(`asked ${request.url()}`)
    })
  })
  afterEach(async () => {
    expect(await page.evaluate('window.hurt'), 'a title or parameter ran as a script').toBeUndefined()
    await context.close()
    expect(complaints).toEqual([])
  })

  const plain = 50
  const idOf = (row: number) => String(shop.payloads[row]!.item_id)
  const payloadOf = (id: string) => shop.payloads.find((item) => String(item.item_id) === id)!
  const titles = () => page.locator('.results .title').allTextContents()
  const ask = async <T>(path: string) => (await (await fetch(server.listeningOrigin + path)).json()) as T

  /** What the server says about the address, once the page shows it: the list on the screen is that list. */
  async function shown(): Promise<Neighbours> {
    const { searchParams } = new URL(page.url())
    for (const name of ['view', 'why']) searchParams.delete(name)
    const answer = await ask<Neighbours>(`/api/neighbours?${searchParams}`)
    const names = answer.items.map(({ name }) => name.replace(/\s+/g, ' '))
    await expect
      .poll(async () => (await titles()).map((title) => title.replace(/\s+/g, ' ')), { timeout: 10_000 })
      .toEqual(names)
    return answer
  }

  async function open(address: string): Promise<Neighbours> {
    await page.goto(address)
    await page.locator('.results > li').first().waitFor()
    return shown()
  }

  /** Does something that must change the address, and with it the list. */
  async function changes(work: () => Promise<unknown>): Promise<Neighbours> {
    const before = page.url()
    await work()
    await expect.poll(() => page.url(), { timeout: 10_000 }).not.toBe(before)
    return shown()
  }

  const all = (answer: Neighbours, passes: (item: ItemPayload) => boolean) => {
    expect(answer.items.length).toBeGreaterThan(0)
    for (const { id } of answer.items) expect(passes(payloadOf(id)), id).toBe(true)
  }

  test('by keys alone: search, add, blend, less, remove, back', async () => {
    await open('/')
    expect(await page.locator('main h2').textContent()).toBe('Best known')
    await page.keyboard.press('/')
    await page.keyboard.type(String(shop.payloads[plain]!.title))
    await page.locator('[role=option]').first().waitFor()
    const options = await page.locator('[role=option]').count()
    await page.keyboard.press('ArrowDown')
    expect(await page.locator('[role=option][aria-selected=true]').getAttribute('id')).toBe(
      options > 1 ? 'found-1' : 'found-0',
    )
    await page.keyboard.press('ArrowUp')
    const one = await changes(() => page.keyboard.press('Enter'))
    expect(one.seeds).toHaveLength(1)
    expect(await page.locator('.chips.seed li').count()).toBe(1)
    const [first, second] = one.items
    await page
      .getByRole('button', { name: `More like ${first!.name}` })
      .first()
      .focus()
    const blend = await changes(() => page.keyboard.press('Enter'))
    expect(blend.seeds.map(({ id }) => id)).toEqual([one.seeds[0]!.id, first!.id])
    expect(await page.locator('main h2').textContent()).toBe('Near a blend of 2')
    await page
      .getByRole('button', { name: `Less like ${blend.items[5]!.name}` })
      .first()
      .focus()
    const away = await changes(() => page.keyboard.press('Space'))
    expect(away.negatives.map(({ id }) => id)).toEqual([blend.items[5]!.id])
    expect(away.items.map(({ id }) => id)).not.toEqual(blend.items.map(({ id }) => id))
    await page.getByRole('button', { name: `Remove ${blend.items[5]!.name}` }).focus()
    const back = await changes(() => page.keyboard.press('Enter'))
    expect(back.items.map(({ id }) => id)).toEqual(blend.items.map(({ id }) => id))
    await changes(() => page.goBack())
    expect((await changes(() => page.goBack())).seeds).toHaveLength(2)
    expect(second).toBeDefined()
  })

  test('a title in the list starts from it', async () => {
    const { items } = await open('/')
    const plain = items.find(({ name }) => !hostileTitles.includes(name))!
    const answer = await changes(() => page.getByRole('button', { name: plain.name, exact: true }).first().click())
    expect(answer.seeds.map(({ id }) => id)).toEqual([plain.id])
    expect(await page.locator('main h2').textContent()).toBe(`Near ${plain.name}`)
  })

  test('each filter leaves only what passes, and a shared address shows the same', async () => {
    const { items } = await open(`/?seed=${idOf(plain)}`)
    const other = items.find(({ genres, styles }) => genres.length > 0 && styles.length > 0)!
    all(await changes(() => page.getByLabel('Genre').selectOption(other.genres[0]!)), (item) =>
      (item.genres as string[]).includes(other.genres[0]!),
    )
    all(await changes(() => page.getByLabel('Style').selectOption(other.styles[0]!)), (item) =>
      (item.styles as string[]).includes(other.styles[0]!),
    )
    all(
      await changes(() => page.getByLabel('Country').selectOption(other.country!)),
      (item) => item.country === other.country,
    )
    const shared = await context.newPage()
    await shared.goto(page.url())
    await shared.locator('.results > li').first().waitFor()
    expect(await shared.locator('.results .title').allTextContents()).toEqual(await titles())
    await shared.close()
    await changes(() => page.getByRole('button', { name: 'Reset filters' }).click())
    const from = page.getByLabel('From year')
    await from.fill('1975')
    all(await changes(() => from.press('Enter')), (item) => Number(item.year) >= 1975)
    const to = page.getByLabel('To year')
    await to.fill('1985')
    all(await changes(() => to.press('Tab')), (item) => Number(item.year) >= 1975 && Number(item.year) <= 1985)
    await changes(() => page.getByRole('button', { name: 'Reset filters' }).click())
    const slider = page.locator('#popularity')
    const gems = await changes(() => slider.press('Home'))
    all(gems, (item) => item.interaction_count <= gems.interactions.max!)
    const crowd = await changes(() => slider.press('End'))
    all(crowd, (item) => item.interaction_count >= crowd.interactions.min!)
    expect(crowd.interactions.min).toBeGreaterThan(gems.interactions.max!)
  })

  test('the dial and one per artist', async () => {
    const taste = await open(`/?seed=${idOf(plain)}&seed=${idOf(60)}`)
    expect(await page.getByRole('radio', { name: 'Taste' }).isChecked()).toBe(true)
    const between = await changes(() => page.getByRole('radio', { name: 'Between' }).click())
    const likeness = await changes(() => page.getByRole('radio', { name: 'Likeness' }).click())
    const lists = [taste, between, likeness].map(({ items }) => items.map(({ id }) => id).join())
    expect(new Set(lists).size).toBe(3)
    await changes(() => page.getByRole('radio', { name: 'Likeness' }).press('ArrowRight'))
    expect(new URL(page.url()).searchParams.get('dial')).toBe('between')
    const single = await changes(() => page.getByLabel('At most one per artist').click())
    const artists = single.items.map(({ artists }) => artists[0])
    expect(new Set(artists).size).toBe(artists.length)
  })

  test('why: the shares of the examples, in the address too', async () => {
    const { items } = await open(`/?seed=${idOf(plain)}&seed=${idOf(60)}&not=${idOf(70)}`)
    const button = page.getByRole('button', { name: `Why ${items[2]!.name}?` })
    await button.click()
    await page.locator('.why tbody tr').first().waitFor()
    const { searchParams } = new URL(page.url())
    expect(searchParams.get('why')).toBe(items[2]!.id)
    searchParams.set('item', searchParams.get('why')!)
    searchParams.delete('why')
    const { shares } = await ask<Explanation>(`/api/explain?${searchParams}`)
    expect(await page.locator('.why tbody th').allTextContents()).toEqual(
      shares.map(({ item, negative }) => `${item.name}${negative ? ' (away from)' : ''}`),
    )
    await page.reload()
    await page.locator('.why tbody tr').first().waitFor()
    await button.click()
    await page.locator('.why').waitFor({ state: 'detached' })
  })

  test('the map: drawn, moved by keys and wheel, picked from, coloured by genre', async () => {
    await open(`/?seed=${idOf(plain)}&view=map`)
    const canvas = page.locator('canvas')
    const picture = async () => (await canvas.screenshot()).toString('base64')
    await expect
      .poll(() =>
        canvas.evaluate((element: HTMLCanvasElement) => {
          const { data } = element.getContext('2d')!.getImageData(0, 0, element.width, element.height)
          return data.some((value) => value !== 0)
        }),
      )
      .toBe(true)
    const whole = await picture()
    await canvas.focus()
    await page.keyboard.press('+')
    await page.keyboard.press('ArrowRight')
    await expect.poll(picture).not.toBe(whole)
    const before = await picture()
    await canvas.hover()
    await page.mouse.wheel(0, -300)
    await expect.poll(picture).not.toBe(before)
    await canvas.focus()
    await page.keyboard.press('0')
    const map = await ask<MapPoints>('/api/map')
    // The point that lies farthest to the left is alone there.
    const n = map.x.indexOf(Math.min(...map.x))
    const box = (await canvas.boundingBox())!
    const scale = Math.min(box.width / 1500, box.height / 1000) / 2.1
    const [left, top] = [box.width / 2 + map.x[n]! * scale, box.height / 2 - map.y[n]! * scale]
    await page.mouse.move(box.x + left, box.y + top)
    await expect.poll(() => page.locator('.tip').textContent()).toBe(map.names[n])
    const picked = await changes(() => page.mouse.click(box.x + left, box.y + top))
    expect(picked.seeds.map(({ id }) => id)).toEqual([map.ids[n]])
    const genre = map.genres.find((name) => name !== hostileGenre)!
    const filtered = await changes(() => page.locator('.legend button', { hasText: genre }).first().click())
    all(filtered, (item) => (item.genres as string[]).includes(genre))
    await changes(() => page.getByRole('button', { name: 'List' }).click())
    expect(await canvas.count()).toBe(0)
  })

  test('the map by keys: Enter picks what is in the middle', async () => {
    await open('/?view=map')
    await page.locator('canvas').focus()
    for (const key of ['+', '+', 'ArrowLeft']) await page.keyboard.press(key)
    await page.locator('.tip').waitFor()
    const name = await page.locator('.tip').textContent()
    const { seeds } = await changes(() => page.keyboard.press('Enter'))
    expect(name).toBe([seeds[0]!.name, seeds[0]!.artists.join(', ')].join(' · '))
  })

  test('the code of the list can be copied', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const { samples } = await open(`/?seed=${idOf(plain)}&artists=one`)
    await page.locator('summary', { hasText: 'by code' }).click()
    expect(await page.locator('.code pre').allTextContents()).toEqual(samples.map(({ text }) => text))
    await page.getByRole('button', { name: 'Copy TypeScript' }).click()
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(samples[0]!.text)
  })

  test('titles and genres that look like scripts are text', async () => {
    await open('/')
    expect((await titles()).slice(0, hostileTitles.length)).toEqual(hostileTitles)
    await page.getByLabel('Search a title').fill('window.hurt')
    await page.locator('[role=option]').first().waitFor()
    expect(await page.locator('[role=option] .name').allTextContents()).toEqual(expect.arrayContaining(hostileTitles))
    await page.getByLabel('Genre').selectOption(hostileGenre)
    await page.getByRole('button', { name: 'Map' }).click()
    await page.locator('.legend button').first().waitFor()
    await page.locator('.legend button', { hasText: 'onmouseover' }).hover()
  })

  test('what the address says wrongly is said as text, and left behind by a click', async () => {
    const hostile = '<img src=x onerror=window.hurt=1>'
    await page.goto(
      `/?seed=${encodeURIComponent(hostile)}&view=${encodeURIComponent(hostile)}&utm=${encodeURIComponent(hostile)}`,
    )
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('alert').locator('p').textContent()).toBe(`seed=${hostile}: no such item`)
    await page.goto(`/?genre=javascript:window.hurt=1&limit=3`)
    await expect
      .poll(() => page.getByRole('alert').locator('p').textContent())
      .toBe('genre=javascript:window.hurt=1: no item has it')
    await changes(() => page.getByRole('button', { name: 'Start again' }).click())
    // The browser itself reports the two answers of 400.
    expect(complaints.splice(0).every((text) => text.includes('400 (Bad Request)'))).toBe(true)
  })

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('accessible and without overflow: %s, %i px', async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 844 })
    const { items } = await open(`/?seed=${idOf(plain)}&seed=${idOf(60)}&not=${idOf(70)}&dial=likeness`)
    await page.getByRole('button', { name: `Why ${items[1]!.name}?` }).click()
    await page.locator('.why tbody tr').first().waitFor()
    for (const summary of await page.locator('summary').all()) if (await summary.isVisible()) await summary.click()
    await page.getByRole('combobox', { name: /title/ }).fill('the')
    await page.locator('[role=option]').first().waitFor()
    for (const view of ['List', 'Map']) {
      await page.getByRole('button', { name: view, exact: true }).click()
      if (view === 'Map') await page.locator('.legend').waitFor()
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join('\n')}`),
      ).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    }
  })
})
