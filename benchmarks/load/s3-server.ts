/** Child process: the S3 server. Sends its address when it listens. */
import { startFauxqs } from 'fauxqs'

const server = await startFauxqs({ port: 0, logger: false })
process.send?.(server.address)
// A benchmark that was interrupted takes its server along.
process.on('disconnect', () => process.exit())
