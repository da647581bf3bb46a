import { afterEach, expect, it, vi } from 'vitest'

function refuse(): never {
  throw new Error('not implemented')
}

afterEach(() => {
  vi.doUnmock('node:v8')
  vi.doUnmock('node:vm')
  vi.resetModules()
})

it('collects what nothing holds any more', async () => {
  const { collectGarbage } = await import('../src/pool/collect-garbage.ts')
  const dropped = new WeakRef({})
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  expect(dropped.deref()).toBeUndefined()
})

it.each([
  ['the flag is refused', 'node:v8', { setFlagsFromString: refuse }],
  ['the flag has no effect', 'node:v8', { setFlagsFromString: () => {} }],
  ['no context can be made', 'node:vm', { runInNewContext: refuse }],
])('does nothing where %s', async (_, module, fake) => {
  vi.doMock(module, () => fake)
  vi.resetModules()
  const { collectGarbage } = await import('../src/pool/collect-garbage.ts')
  expect(() => collectGarbage()).not.toThrow()
})
