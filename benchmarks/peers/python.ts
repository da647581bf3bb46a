/** Python peers: a virtual environment of their own beside this file, made on first use. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('./', import.meta.url))
const python = `${folder}.venv/bin/python`
const installed = `${folder}.venv/requirements.txt`

/** Creates or updates the peers' virtual environment when requirements.txt has changed since. */
export async function preparePeers(): Promise<void> {
  const wanted = readFileSync(`${folder}requirements.txt`, 'utf8')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return
  console.error('Installing the Python peers (first use) ...')
  await run('python3', ['-m', 'venv', `${folder}.venv`])
  await run(python, ['-m', 'pip', 'install', '--quiet', '-r', `${folder}requirements.txt`])
  writeFileSync(installed, wanted)
}

/**
 * Runs `peers/SCRIPT` and returns the JSON object that is the last line it prints.
 * `threads` bounds the peer's own pool; the BLAS below it gets one thread, as implicit's documentation asks.
 */
export async function runPeer<T>(script: string, args: string[], threads: number): Promise<T> {
  await preparePeers()
  const output = await run(python, [`${folder}${script}`, ...args], peerEnvironment(threads))
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as T
}

/** Starts `peers/SCRIPT` as a process that stays, for a benchmark that talks to it on its standard input and output. */
export async function startPeer(script: string, args: string[], threads: number): Promise<ChildProcess> {
  await preparePeers()
  return spawn(python, [`${folder}${script}`, ...args], {
    env: peerEnvironment(threads),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

function peerEnvironment(threads: number): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    OPENBLAS_NUM_THREADS: '1',
    OMP_NUM_THREADS: String(threads),
    RAYON_NUM_THREADS: String(threads),
  }
  // A kernel forced on an old OpenBLAS slows a current numpy.
  delete environment.OPENBLAS_CORETYPE
  delete environment.OPENBLAS_L2_SIZE
  return environment
}

function run(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ${args.join(' ')} ended with exit code ${code}:\n${output.slice(-2000)}`))
    })
  })
}
