import { describe, expect, test } from 'vitest'
import { Program } from './program.ts'

// Child processes on a busy machine take their time; no time is asserted here.
describe.concurrent('a program that can be interrupted', () => {
  test.for([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s: work in flight ends, exit code %i', async ([signal, code]) => {
    const program = new Program('test/obedient.ts', {})
    await program.says(/working/)
    program.kill(signal)
    expect(await program.end()).toEqual({ code, signal: null })
    expect(program.stderr).toContain('work in flight has ended')
    expect(program.stderr).toContain(`Stopped: ${signal} received.`)
  })

  test('one Ctrl-C that arrives twice, as under npm, is one', async () => {
    const program = new Program('test/obedient.ts', {})
    await program.says(/working/)
    program.kill('SIGINT')
    await program.says(/no new work/)
    program.kill('SIGINT')
    expect(await program.end()).toEqual({ code: 130, signal: null })
    expect(program.stderr).toContain('work in flight has ended')
  })

  test('a second signal ends it at once', async () => {
    const program = new Program('test/stubborn.ts', {})
    await program.says(/working/)
    program.kill('SIGTERM')
    await program.says(/no new work/)
    await new Promise((resolve) => setTimeout(resolve, 700))
    program.kill('SIGTERM')
    expect(await program.end()).toEqual({ code: 143, signal: null })
    expect(program.stderr).toContain('SIGTERM again: stopped at once.')
  })

  test('work that does not end is given up', async () => {
    const program = new Program('test/stubborn.ts', {})
    await program.says(/working/)
    program.kill('SIGTERM')
    expect(await program.end()).toEqual({ code: 143, signal: null })
    expect(program.stderr).toContain('Not ended after 9 s: given up.')
  })

  test('0 at the end, 1 for an error with its cause, 2 for a bad configuration', async () => {
    const done = new Program('test/obedient.ts', {}, ['done'])
    const fail = new Program('test/obedient.ts', {}, ['fail'])
    const misconfigured = new Program('test/obedient.ts', {}, ['misconfigured'])
    expect((await done.end()).code).toBe(0)
    expect((await fail.end()).code).toBe(1)
    expect(fail.stderr).toBe('the store is closed\n  because: no such bucket\n')
    expect((await misconfigured.end()).code).toBe(2)
    expect(misconfigured.stderr).toBe('One setting is not usable:\n  SEED=x: expected an integer\n')
  })
})
