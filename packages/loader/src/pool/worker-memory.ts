import { Kernel } from '../kernel/kernel.ts'
import { type Chunk, createChunk } from '../rows/chunk.ts'
import { RowReader } from '../rows/row-reader.ts'
import type { SourceRows } from './messages.ts'

/** The kernel of this worker thread. */
export const kernel: Kernel = new Kernel()

let chunk: Chunk | undefined
let kept = kernel.mark()

/** The columns that rows pass through, of the same kinds of ids in all tasks of a worker. */
export function chunkOf({ userKind, itemKind }: Pick<SourceRows['source'], 'userKind' | 'itemKind'>): Chunk {
  if (chunk === undefined) {
    chunk = createChunk(kernel, userKind, itemKind)
    kept = kernel.mark()
  }
  return chunk
}

let current: { readonly phase: string; readonly tool: unknown } = { phase: '', tool: undefined }

/** What a worker keeps during a phase, in the kernel memory that the phase before had. */
export function duringPhase<T>(phase: string, create: () => T): T {
  if (current.phase !== phase) {
    kernel.release(kept)
    current = { phase, tool: create() }
  }
  return current.tool as T
}

const readers = new Map<string, RowReader>()

/** One reader per source. */
export function readerOf(task: SourceRows): RowReader {
  let reader = readers.get(task.source.name)
  if (reader === undefined) {
    reader = new RowReader(chunkOf(task.source), task.source, task.codebook)
    readers.set(task.source.name, reader)
  }
  return reader
}
