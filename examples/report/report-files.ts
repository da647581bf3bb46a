import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunRecord, runRecord } from './run-record.ts'

/** The files of a report in the folder of the model: its page, the record that it is made of, and those of the run before. */
const NAMES = {
  record: 'report.json',
  page: 'report.html',
  previousRecord: 'report.previous.json',
  previousPage: 'report.previous.html',
} as const

/** Their places in a folder. */
export function reportFiles(folder: string): Record<keyof typeof NAMES, string> {
  const { record, page, previousRecord, previousPage } = NAMES
  return {
    record: join(folder, record),
    page: join(folder, page),
    previousRecord: join(folder, previousRecord),
    previousPage: join(folder, previousPage),
  }
}

/**
 * Makes room for the report of a new run: that of the last complete run is kept under another name, to compare with, and
 * is returned. One of a run that did not end well makes way.
 */
export function keepPrevious(folder: string): RunRecord | undefined {
  mkdirSync(folder, { recursive: true })
  const files = reportFiles(folder)
  const last = readIfUsable(files.record)
  if (last?.status === 'complete') {
    renameSync(files.record, files.previousRecord)
    rmSync(files.previousPage, { force: true })
    renameIfThere(files.page, files.previousPage)
    return last
  }
  rmSync(files.page, { force: true })
  return readIfUsable(files.previousRecord)
}

/** Writes a file in one step: a reader finds the one before or the new one, never a half. */
export function replaceFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, text)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** The id of the element in which a page carries its record. */
export const RECORD_ELEMENT = 'run-record'

/**
 * Reads the record of a run from `report.json`, or from the page, which carries it.
 *
 * @throws Error naming the file and what it is not
 */
export async function readRecord(path: string): Promise<RunRecord> {
  const text = readFileSync(path, 'utf8')
  const json = /^\s*</.test(text) ? await recordInPage(text) : text
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new Error(`${path} is no report of a run: expected its report.html or report.json.`, { cause })
  }
  const result = runRecord.safeParse(value)
  if (result.success) return result.data
  const { path: place, message } = result.error.issues[0]!
  throw new Error(
    `${path} is no report that this version can read: ${place.map(String).join('.') || 'all of it'}: ${message}. Take one that this version wrote.`,
  )
}

async function recordInPage(text: string): Promise<string> {
  const { parseHTML } = await import('linkedom')
  return parseHTML(text).document.getElementById(RECORD_ELEMENT)?.textContent ?? ''
}

function readIfUsable(path: string): RunRecord | undefined {
  try {
    return runRecord.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
