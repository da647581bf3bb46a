import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const page = await readFile(join(root, 'docs', 'architecture.md'), 'utf8')
const rules = join(root, '.dependency-cruiser.mjs')
const { layers }: { layers: Record<string, string[]> } = await import(rules)

test.each(Object.keys(layers))(
  'the tree of %s has the parts of the rule, in its order, and they are all there are',
  async (folder) => {
    const section = page.slice(page.indexOf(`\`${folder}\``))
    const table = section.slice(0, section.indexOf('\n\n`packages', 1))
    const named = [...table.matchAll(/^\| (`.*`) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)])
    expect(named.map(([, part]) => part.replace(/\/$/, ''))).toEqual(layers[folder])
    expect([...layers[folder]].sort()).toEqual((await readdir(join(root, folder))).sort())
  },
)

test('every file of the journeys is there', async () => {
  const files = [...page.matchAll(/`(packages\/[^`]+\.ts)`/g)].map(([, file]) => file)
  expect(files.length).toBeGreaterThan(30)
  for (const file of files) expect((await stat(join(root, file))).isFile(), file).toBe(true)
  expect(new Set(files).size, 'no file comes twice').toBe(files.length)
})
