import { deleteUnserved } from '../generation/garbage.ts'
import type { Generation } from '../generation/generations.ts'
import { Heartbeat } from '../generation/heartbeat.ts'
import { collectionName } from '../generation/names.ts'
import { thisProcess } from '../generation/owner.ts'
import { type GenerationRecord, writeRecord } from '../generation/record.ts'
import { createCollection } from './collection.ts'
import type { Inspection } from './inspect.ts'
import type { Part, Run } from './run.ts'

/** A collection that a run which is over has left before it was swapped in. */
type Orphan = Generation & { record: GenerationRecord }

/**
 * Makes the collections of a new generation, or takes over those that a dead run of the same input has left. What else dead runs have
 * left is deleted first, so that its room is free for this one.
 */
export async function claimGeneration(run: Run, state: Inspection): Promise<number> {
  const { connection, settings, signal, fingerprint, progress } = run
  progress.enter('create')
  const found = [...state.generations.values()].flat()
  const orphans = found.filter(isOrphan)
  const same = orphans.filter((one) => one.state !== 'deleting' && one.record.fingerprint === fingerprint)
  const resumed = same[0]?.generation
  const resumable = same.filter((one) => one.generation === resumed)
  for (const one of orphans) {
    if (resumable.includes(one)) continue
    await deleteUnserved(connection, one.record.alias, one.collection, { signal, staleAfter: settings.staleAfter })
  }
  const newest = Math.max(0, ...found.map(({ generation }) => generation))
  let generation = resumed ?? Math.max(Math.floor(Date.now() / 1000), newest + 1)
  while (!(await claimAll(run, generation, resumable))) generation++
  return generation
}

function isOrphan(found: Generation): found is Orphan {
  return found.record !== undefined && ['unfinished', 'ready', 'deleting'].includes(found.state)
}

/** False when another run made one of these collections within the same second; then this run has none of them. */
async function claimAll(run: Run, generation: number, resumable: Orphan[]): Promise<boolean> {
  for (const part of run.parts) {
    const name = collectionName(part.alias, generation)
    const left = resumable.find(({ collection }) => collection === name)
    if (await claim(run, part, name, left?.record ?? newRecord(run, part, generation), left !== undefined)) continue
    for (const claimed of run.parts) await discard(run, claimed)
    return false
  }
  return true
}

async function claim(run: Run, part: Part, name: string, record: GenerationRecord, exists: boolean): Promise<boolean> {
  const { connection, settings, signal } = run
  Object.assign(record, { run: run.id, owner: thisProcess, heartbeat: Date.now() })
  // Named before the request, so that an abort in its middle knows what to delete.
  part.collection = name
  if (exists) {
    await writeRecord(connection, name, record, { signal })
  } else {
    // A collection whose making is under way cannot be deleted yet: an abort waits for the answer, up to its deadline.
    const creation = createCollection(connection, name, record, part.source.fields, settings, { signal: run.cancel })
    const created = await creation.finally(() => signal.throwIfAborted())
    if (!created) {
      part.collection = ''
      return false
    }
  }
  part.heartbeat = new Heartbeat(connection, name, record, {
    interval: settings.heartbeatInterval,
    signal,
    onLost: (error) => run.lost.abort(error),
  })
  return true
}

function newRecord(run: Run, part: Part, generation: number): GenerationRecord {
  return {
    version: 1,
    alias: part.alias,
    generation,
    run: run.id,
    state: 'loading',
    fingerprint: run.fingerprint,
    points: part.source.points,
    watermark: 0,
    heartbeat: Date.now(),
    owner: thisProcess,
    indexingThreshold: null,
  }
}

async function discard(run: Run, part: Part): Promise<void> {
  if (part.collection === '') return
  await part.heartbeat?.stop()
  part.heartbeat = undefined
  await deleteUnserved(run.connection, part.alias, part.collection, { signal: run.signal, run: run.id })
  part.collection = ''
}
