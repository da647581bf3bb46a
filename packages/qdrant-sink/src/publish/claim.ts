import { deleteUnserved } from '../generation/garbage.ts'
import { Heartbeat } from '../generation/heartbeat.ts'
import { collectionName } from '../generation/names.ts'
import { thisProcess } from '../generation/owner.ts'
import { type GenerationRecord, writeRecord } from '../generation/record.ts'
import { createCollection } from './collection.ts'
import type { Preflight } from './preflight.ts'
import type { Part, Run } from './run.ts'

/**
 * Makes the collections of a new generation, or takes over those that a dead run of the same input has left. Dead runs of other
 * input are deleted here, so that their room is free for this one.
 */
export async function claimGeneration(run: Run, state: Preflight): Promise<number> {
  const { parts, connection, settings, signal } = run
  run.progress.enter('create')
  const abandoned = parts.flatMap(({ alias }) =>
    (state.generations.get(alias) ?? []).filter(
      (found) => found.state === 'unfinished' || found.state === 'ready' || found.state === 'deleting',
    ),
  )
  const same = abandoned.filter((found) => found.state !== 'deleting' && found.record?.fingerprint === run.fingerprint)
  const resumed = same[0]?.generation
  for (const found of abandoned) {
    if (found.generation === resumed && found.state !== 'deleting') continue
    await deleteUnserved(connection, found.record?.alias ?? settings.alias, found.collection, {
      signal,
      staleAfter: settings.staleAfter,
    })
  }
  const newest = Math.max(0, ...[...state.generations.values()].flat().map((found) => found.generation))
  let generation = resumed ?? Math.max(Math.floor(Date.now() / 1000), newest + 1)
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]
    const left = same.find((found) => found.generation === generation && found.record?.alias === part.alias)
    const record = left?.record ?? newRecord(run, part, generation)
    Object.assign(record, { run: run.id, owner: thisProcess, heartbeat: Date.now() })
    const name = collectionName(part.alias, generation)
    if (left) {
      await writeRecord(connection, name, record, { signal })
    } else {
      // Named before the request, so that an abort in its middle knows what to delete.
      part.collection = name
      // A collection whose making is under way cannot be deleted yet: an abort waits for the answer, up to its deadline.
      const creation = createCollection(connection, name, record, settings, { signal: run.cancel })
      const created = await creation.finally(() => signal.throwIfAborted())
      if (!created) {
        // Another run made it within the same second. All parts move on to the next one.
        part.collection = ''
        for (const made of parts.slice(0, index)) await discard(run, made)
        generation++
        index = -1
        continue
      }
    }
    part.collection = name
    part.heartbeat = new Heartbeat(connection, name, record, {
      interval: settings.heartbeatInterval,
      signal,
      onLost: (error) => run.lost.abort(error),
    })
  }
  return generation
}

function newRecord(run: Run, part: Part, generation: number): GenerationRecord {
  return {
    version: 1,
    alias: part.alias,
    generation,
    run: run.id,
    state: 'loading',
    fingerprint: run.fingerprint,
    points: part.vectors.ids.length,
    watermark: 0,
    heartbeat: Date.now(),
    owner: thisProcess,
    indexingThreshold: null,
  }
}

async function discard(run: Run, part: Part): Promise<void> {
  await part.heartbeat?.stop()
  part.heartbeat = undefined
  await deleteUnserved(run.connection, part.alias, part.collection, { signal: run.signal, run: run.id })
  part.collection = ''
}
