import { statfsSync } from 'node:fs'
import type { Configuration } from '../configuration/schema.ts'
import { bytes, duration, grouped } from '../text/format.ts'
import type { Plan } from './check.ts'
import {
  checkpointBytes,
  estimateSeconds,
  largestMatrix,
  modelBytes,
  publishingMemory,
  spillBytes,
  trainingMemory,
} from './estimate.ts'
import { existingPart, temporaryFolder } from './folders.ts'
import { renderTable } from './tables.ts'

/** What `--check` prints: files, rows, memory, disk and time of a run that has not begun. */
export function renderPlan(configuration: Configuration, { load, items, serving }: Plan): string {
  const { training, thresholds, output, memory } = configuration
  const sources = load.sources.map(({ name, files, rows, sampledRows, bytes: size, columns }) => ({
    source: name,
    files: grouped(files.length),
    rows: grouped(rows),
    sampled: grouped(sampledRows),
    'to read, twice': bytes(size),
    columns: columns.join(', '),
  }))
  if (items) {
    sources.push({
      source: configuration.items.name,
      files: grouped(items.files),
      rows: grouped(items.rows),
      sampled: '',
      'to read, twice': `${bytes(items.bytes)}, once`,
      columns: Object.keys(configuration.items.payload)
        .filter((name) => !items.absent.includes(name))
        .join(', '),
    })
  }
  const most = largestMatrix(configuration, load)
  const seconds = estimateSeconds(configuration, load)
  const stages = [
    { stage: 'load', 'memory, at most': bytes(load.memory.total), time: `about ${duration(seconds.load, 0)}` },
    {
      stage: `train, ${training.iterations} iterations`,
      'memory, at most': bytes(trainingMemory(configuration, most)),
      time: `about ${duration(seconds.train, 0)}`,
    },
    ...(configuration.qdrant.url || configuration.items.catalogue === 'all'
      ? [
          {
            stage: 'publish',
            'memory, at most': bytes(publishingMemory(configuration, most, items?.rows)),
            time: "the upload and the server's index",
          },
        ]
      : []),
  ]
  const disks = [
    { folder: output.model, holds: 'the model', 'at most': modelBytes(configuration, most) },
    ...(output.checkpoint
      ? [{ folder: output.checkpoint, holds: 'checkpoints', 'at most': checkpointBytes(configuration, most) }]
      : []),
    {
      folder: temporaryFolder(configuration),
      holds: 'temporary files',
      'at most': Math.max(spillBytes(load), items?.unpackedBytes ?? 0),
    },
  ].map((disk) => ({ ...disk, 'at most': bytes(disk['at most']), free: bytes(freeBytes(disk.folder)) }))
  const notes = load.sources.flatMap(({ name, notes, leftOut }) => [
    ...notes.map((note) => `${name}: ${note}`),
    ...(leftOut.length > 0 ? [`${name}: ${describeLeftOut(leftOut)}`] : []),
  ])
  return [
    renderTable(sources, ['files', 'rows', 'sampled', 'to read, twice']),
    ...notes,
    items && items.absent.length > 0
      ? `${configuration.items.name}: no column ${items.absent.join(', ')}: null in payloads`
      : '',
    `\nAt most ${grouped(most.users)} users of ${thresholds.user} rows and more, ${grouped(most.items)} items of ${thresholds.item} and more.`,
    renderTable(stages, ['memory, at most']),
    `This process may use ${bytes(memory)}${load.spill ? ', so the load works through temporary files' : ''}.`,
    `\n${renderTable(disks, ['at most', 'free'])}`,
    serving ? `\nQdrant: ${serving}.` : '',
  ]
    .filter(Boolean)
    .join('\n')
}

function describeLeftOut(leftOut: Plan['load']['sources'][number]['leftOut']): string {
  const [{ uri, reason }] = leftOut
  const more = leftOut.length > 1 ? ` and ${grouped(leftOut.length - 1)} more` : ''
  return `not read: ${uri} (${reason})${more}`
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(existingPart(folder))
  return bavail * bsize
}
