/** Child process: the S3 server. Sends its address when it listens, and its processor seconds so far when asked. */
import { startFauxqs } from 'fauxqs'
import { cpuSeconds } from '../process-cost.ts'

const server = await startFauxqs({ port: 0, logger: false })
process.send?.(server.address)
process.on('message', () => process.send?.(cpuSeconds()))
// A benchmark that was interrupted takes its server along.
process.on('disconnect', () => process.exit())
