import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { expect, test, vi } from 'vitest'
import { showProgress } from '../pipeline/progress.ts'

const { signal } = new AbortController()

function capture(isTTY: boolean, columns = 120): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return { stream: Object.assign(stream, { isTTY, columns }) as unknown as NodeJS.WriteStream, text: () => text }
}

test('plain lines: one for each phase, then no more than one a second', () => {
  const { stream, text } = capture(false)
  const progress = showProgress(signal, stream)
  progress.begin('load')
  for (let rows = 0; rows <= 1000; rows++) progress.update({ phase: 'count', done: rows, total: 1000, unit: 'rows' })
  progress.update({ phase: 'place', done: 250, total: 1000, unit: 'rows', note: '3 retries' })
  progress.end('done')
  expect(text().split('\n')).toEqual([
    'load      started',
    'load      count  0 %  0 of 1K rows',
    'load      place  25 %  250 of 1K rows  3 retries',
    'load      done',
    '',
  ])
})

test('bars on a terminal, and the outcome alone stays', async () => {
  const { stream, text } = capture(true)
  const progress = showProgress(signal, stream)
  progress.begin('train')
  progress.update({ phase: 'iterations', done: 5, total: 10, unit: 'iterations', note: 'loss 123' })
  // Bars are drawn ten times a second.
  await vi.waitFor(() => expect(text()).toContain('loss 123'))
  progress.end('done in 1 s')
  expect(text()).toMatch(/iterations +█+░* +50 %/)
  expect(text()).toMatch(/train +done in 1 s\n$/)
})

test('a bar is cut to the terminal, whatever its note', async () => {
  for (const columns of [40, 80]) {
    const { stream, text } = capture(true, columns)
    const progress = showProgress(signal, stream)
    progress.begin('publish')
    progress.update({ phase: 'upload', done: 5, total: 10, unit: 'points', note: 'a note of many words, '.repeat(9) })
    await vi.waitFor(() => expect(text()).toContain('upload'))
    progress.stop()
    const drawn = text()
      .split(/[\r\n]/)
      .map((line) => stripVTControlCharacters(line))
    expect(Math.max(...drawn.map((line) => line.length))).toBeLessThan(columns)
    expect(drawn.some((line) => /,…$/.test(line))).toBe(false)
  }
})

test('the time that is left is said, and is that of the rate so far', async () => {
  const { stream, text } = capture(false)
  const progress = showProgress(signal, stream)
  progress.begin('load')
  progress.update({ phase: 'count', done: 0, total: 1000, unit: 'rows' })
  await new Promise((resolve) => setTimeout(resolve, 1050))
  progress.update({ phase: 'count', done: 500, total: 1000, unit: 'rows' })
  const [, rate, left] = /50 % {2}500 of 1K rows {2}(\d+) rows\/s {2}([\d.]+) s left/.exec(text())!
  // Both are rounded.
  expect((Number(rate) * Number(left)) / 500).toBeCloseTo(1, 0)
})

test('nothing is drawn after an interruption', async () => {
  for (const isTTY of [true, false]) {
    const controller = new AbortController()
    const { stream, text } = capture(isTTY)
    const progress = showProgress(controller.signal, stream)
    progress.begin('train')
    progress.update({ phase: 'iterations', done: 5, total: 10, unit: 'iterations' })
    await vi.waitFor(() => expect(text()).toContain('iterations'))
    controller.abort()
    const before = text()
    progress.update({ phase: 'iterations', done: 6, total: 10, unit: 'iterations' })
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(text()).toBe(before)
  }
})
