import { expect } from 'vitest'
import { LoadError } from '../src/index.ts'

/** The error that a load ends with. */
export async function failure(promise: Promise<unknown>): Promise<LoadError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(LoadError)
  return error as LoadError
}
