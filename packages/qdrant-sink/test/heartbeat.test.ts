import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { Heartbeat } from '../src/generation/heartbeat.ts'
import { readRecord } from '../src/generation/record.ts'
import { Connection } from '../src/server/connection.ts'
import { test } from './publication.ts'

test('a beat that was reading when its run ended does not say afterwards that the run is alive', async ({
  server,
  run,
}) => {
  const { collection } = await run()
  await using connection = new Connection({ url: server.url })
  const record = await readRecord(connection, collection)
  server.requests.length = 0
  server.faults.add({ operation: 'getCollection', fault: { kind: 'slow', milliseconds: 200 } })
  const { signal } = new AbortController()
  const heartbeat = new Heartbeat(connection, collection, structuredClone(record!), {
    interval: 10,
    signal,
    onLost() {},
  })
  while (server.requests.length === 0) await sleep(5)
  await heartbeat.stop()
  await heartbeat.update({ heartbeat: 0 })
  await server.settled()
  await sleep(50)
  expect(await readRecord(connection, collection)).toEqual(record)
})
