/**
 * Renders the report of a run again, and what moved since another one: `npm run report -- --against last-night/report.html`.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readFlags } from './configuration/command-line.ts'
import { renderUsage } from './configuration/help.ts'
import { interruptible } from './pipeline/interruption.ts'
import { renderTable, terminalWidth } from './pipeline/tables.ts'
import { change, compareRuns, judge } from './report/compare.ts'
import { readRecord, replaceFile, reportFiles } from './report/report-files.ts'
import type { RunRecord } from './report/run-record.ts'

const usage = {
  command: 'npm run report -- [flags]',
  summary: 'Renders the report of a run, and says what moved since another run.',
  flags: {
    run: { placeholder: 'FILE', meaning: 'report.json or report.html of the run [./model/report.json]' },
    against: { placeholder: 'FILE', meaning: 'the same of a run to compare with [report.previous.json beside it]' },
    out: { placeholder: 'FILE', meaning: 'where the page goes [report.html beside the run]' },
    help: { meaning: 'this text' },
  },
}

await interruptible(async () => {
  const flags = readFlags(usage.flags, process.argv.slice(2))
  if (flags.help) {
    console.log(renderUsage(usage, terminalWidth()))
    return
  }
  const file = flags.run ?? join('model', 'report.json')
  const beside = reportFiles(dirname(file))
  const record = await readRecord(file)
  const other = flags.against ?? (existsSync(beside.previousRecord) ? beside.previousRecord : undefined)
  const against = other === undefined ? undefined : await readRecord(other)
  const { renderReport } = await import('./report/render-report.ts')
  const page = flags.out ?? beside.page
  replaceFile(page, renderReport(record, against))
  if (against) console.log(`${renderMoves(record, against)}\n`)
  console.log(`The report of the run of ${record.began}${other ? `, beside ${other},` : ''} is ${page}.`)
})

/** What moved, as a table. */
function renderMoves(record: RunRecord, against: RunRecord): string {
  const rows = compareRuns(record, against).map((move) => {
    const grown = change(move)
    return {
      figure: move.name,
      before: move.format(move.before),
      now: move.format(move.after),
      change: grown === undefined ? '' : `${(100 * grown).toFixed(1)} %`,
      '': { better: 'better', worse: 'worse', same: '', other: '' }[judge(move)],
    }
  })
  return rows.length > 0 ? renderTable(rows, ['before', 'now', 'change']) : 'The two runs have no figures in common.'
}
