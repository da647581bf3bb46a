import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/**
 * Calls `reload` each time another model has been saved to a directory, until the signal. `saveModel` puts the manifest in
 * place last, so its time is that of a whole model. It is looked at rather than listened to: file systems over a network
 * do not tell.
 */
export async function watchModel(
  directory: string,
  everySeconds: number,
  signal: AbortSignal,
  reload: () => Promise<void>,
): Promise<void> {
  let known = await versionOf(directory)
  while (!signal.aborted) {
    try {
      await setTimeout(1000 * everySeconds, undefined, { signal })
    } catch {
      return
    }
    const now = await versionOf(directory)
    if (now === known || now === undefined) continue
    known = now
    await reload()
  }
}

async function versionOf(directory: string): Promise<string | undefined> {
  return stat(join(directory, 'manifest.json')).then(
    ({ mtimeMs, ino }) => `${mtimeMs} ${ino}`,
    () => undefined,
  )
}
