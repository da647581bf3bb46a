import { PassThrough } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { showProgress } from '../pipeline/progress.ts'

function capture(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return { stream: Object.assign(stream, { isTTY, columns: 120 }) as unknown as NodeJS.WriteStream, text: () => text }
}

test('plain lines: one for each phase, then no more than one a second', () => {
  const { stream, text } = capture(false)
  const progress = showProgress(stream)
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
  const progress = showProgress(stream)
  progress.begin('train')
  progress.update({ phase: 'iterations', done: 5, total: 10, unit: 'iterations', note: 'loss 123' })
  // Bars are drawn ten times a second.
  await vi.waitFor(() => expect(text()).toContain('loss 123'))
  progress.end('done in 1 s')
  expect(text()).toMatch(/iterations +█+░* +50%/)
  expect(text()).toMatch(/train +done in 1 s\n$/)
})
